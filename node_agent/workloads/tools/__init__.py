"""What a command in a container finds: a shell, and a tool a module."""
