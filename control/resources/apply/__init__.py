"""Server-side apply: who manages which field, and what an apply makes of an object.

Pure. Source: kubernetes.io, "Server-Side Apply"; sigs.k8s.io/structured-merge-diff.
"""
