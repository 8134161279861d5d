"""The HTTP contract, one file per route or topic."""
