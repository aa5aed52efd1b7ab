"""How access is stored: Tenants, users, teams, sessions and keys."""
