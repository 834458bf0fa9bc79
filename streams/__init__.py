"""The nerves: settings, wiring, Faust apps, agents, command line."""
