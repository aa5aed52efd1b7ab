"""Subscriptions: how one is declared, evaluated once for everybody who sees the same, and sent."""
