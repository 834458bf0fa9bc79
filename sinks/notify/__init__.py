"""Telling people of alerts: what is said, in whose format, and how it is delivered."""
