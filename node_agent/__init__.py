"""One emulated node: kubelet, container runtime, CNI router and kube-proxy in one process."""
