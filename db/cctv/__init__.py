"""Camera events as they are stored."""
