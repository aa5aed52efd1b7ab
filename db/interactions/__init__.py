"""How interactions are stored: with call transcripts and objections."""
