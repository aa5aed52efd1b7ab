"""How fast Velocity answers, beside the servers people could pick instead. `make bench` runs it."""
