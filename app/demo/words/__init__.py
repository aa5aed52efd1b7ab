"""What people say and write in the demo. A line has {slots}; [[ ]] marks the part that a fact or objection quotes."""
