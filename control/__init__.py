"""The control plane in one process: API server, controllers, scheduler, cloud controller."""
