"""What runs for longer than a test may: `make soak`."""
