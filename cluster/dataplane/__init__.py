"""Every decision about a connection, as pure functions: values in, a decision with reasons out."""
