"""`curl`: HTTP and HTTPS requests of a pod, with curl's options, messages and exit codes."""
