"""Who is calling: access tokens and API keys, what signs them, and passwords."""
