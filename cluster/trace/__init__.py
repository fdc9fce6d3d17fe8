"""What happened to each connection: recorded from the decisions, joined, drawn."""
