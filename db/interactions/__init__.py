"""How interactions are stored: Interactions, call transcripts and objections."""
