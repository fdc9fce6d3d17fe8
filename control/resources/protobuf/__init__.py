"""Bodies in Kubernetes' protobuf encoding, as Go clients send them; answers are JSON.

Pure: bytes in, documents out. Source: kubernetes.io, "Kubernetes Protobuf encoding"; protobuf.dev,
"Encoding".
"""
