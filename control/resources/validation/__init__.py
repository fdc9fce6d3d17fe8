"""What the server refuses: fields that are wrong, each named, in upstream's words."""
