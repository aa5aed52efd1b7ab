"""How leads are stored: Leads, their shares and stage changes, and property interests."""
