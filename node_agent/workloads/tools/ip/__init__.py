"""`ip`: the pod's addresses, links and routes."""
