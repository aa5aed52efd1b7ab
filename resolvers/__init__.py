"""The edge of each use case: allow, open a unit, call the domain, return. One function per root field, named as it."""
