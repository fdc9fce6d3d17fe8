"""`ping`: whether an address answers, by a connection to a port on which nobody listens."""
