"""Kubernetes objects, as far as decisions read them; the store keeps plain JSON trees."""
