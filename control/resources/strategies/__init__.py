"""What kinds do with a write beyond their schema: a module for each group of kinds."""
