"""Composition: the command line, serving, settings, and the demo."""
