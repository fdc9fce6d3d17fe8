"""HTTP/1.1 as curl and wget speak it: byte for byte what was asked for, over the pod's network."""
