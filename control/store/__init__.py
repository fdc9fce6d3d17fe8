"""The store: memory is the truth, a journal makes it survive, feeds tell what changed."""
