"""`triage demo` and what it shows."""
