"""Files: in and out at signed addresses, looked into, and kept in a store."""
