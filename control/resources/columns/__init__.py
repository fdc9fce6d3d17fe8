"""The columns that `kubectl get` shows, one module per API group, all of them pure."""
