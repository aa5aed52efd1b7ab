"""Persisted operations: those that ship with Velocity, those of a tenant, and those that Apollo's clients register."""

from graph.persisted.lookup import Asked, Found, Persisted
from graph.persisted.manifests import ManifestInvalid, read_manifest, shipped, written_manifest

__all__ = ["Asked", "Found", "ManifestInvalid", "Persisted", "read_manifest", "shipped", "written_manifest"]
