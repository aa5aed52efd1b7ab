"""Tests of the read engine by itself."""
