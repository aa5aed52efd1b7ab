"""How access is stored: tenants, users, teams, sessions and keys."""
