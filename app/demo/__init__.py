"""The demo: two tenants that sell luxury homes in India and the Gulf, invented by rules and the same on every run.

`seed` loads it. Nobody in it exists; the phone numbers are valid and may be somebody's, so only the mock provider ever
sees them.
"""
