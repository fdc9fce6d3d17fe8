"""`ss` and `netstat`: the sockets of the pod."""
