"""Traffic from a place in the cluster network: what `kubehop curl` and the pytest plugin send."""
