"""Adapters to what lies outside: each implements a port of the domain, and imports nothing else of ours."""
