"""What stays open is measured here: subscribers of one stream, dashboards that follow sessions, and packets."""
