"""The agents, independent of each other."""
