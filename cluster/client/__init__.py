"""The Kubernetes API as kubehop's own processes use it: requests, watches, informers."""
