"""How threads are stored: Threads, their messages and read markers."""
