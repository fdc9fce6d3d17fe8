"""The pytest plugin: fixtures `cluster` and `shared_cluster` (entry point pytest11)."""
