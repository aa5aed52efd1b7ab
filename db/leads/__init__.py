"""How leads are stored: with their shares and stage changes, and property interests."""
