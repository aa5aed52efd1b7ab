"""Composition: the only place that knows every layer and reads the environment."""
