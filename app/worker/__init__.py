"""The worker: takes jobs whose turn it is and runs their handlers, each under a lease."""
