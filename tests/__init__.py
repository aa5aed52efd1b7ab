"""Tests, in folders that mirror the layers."""
