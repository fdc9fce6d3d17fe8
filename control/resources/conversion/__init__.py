"""How the served versions of a kind become the one that is stored, and back."""
