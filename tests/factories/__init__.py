"""Rows for tests, made by the owner: one function per kind of row, keyword arguments for what a test cares about."""
