"""The documents of what a new cluster holds before anybody asks.

Pure: settings in, documents out. Spec: S-21; kubernetes.io, "Using CoreDNS for Service Discovery".
"""

import ipaddress
from typing import Any

from cluster.objects.core import ADDRESS_ANNOTATION
from control.controllers.settings import ControllerSettings
from control.controllers.slice_documents import SERVICE_NAME

FIRST_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
DNS_LABELS = {"k8s-app": "kube-dns"}
DNS_PORT, DNS_READY_PORT, DNS_METRICS_PORT = 53, 8181, 9153
DNS_REPLICAS = 2


def namespace(name: str) -> dict[str, Any]:
    """A namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def api_service(settings: ControllerSettings) -> dict[str, Any]:
    """The Service `kubernetes`, at the first address of the Service range (S-21)."""
    first = ipaddress.ip_network(settings.service_cidr).network_address + 1
    labels = {"component": "apiserver", "provider": "kubernetes"}
    metadata: dict[str, Any] = {"name": "kubernetes", "namespace": "default", "labels": labels}
    if settings.api_reached:
        metadata["annotations"] = {ADDRESS_ANNOTATION: settings.api_reached}
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": settings.api_port}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata,
        "spec": {"type": "ClusterIP", "clusterIP": str(first), "ports": [port]},
    }


def api_slice(settings: ControllerSettings) -> dict[str, Any]:
    """Where the API server really is, for the proxies."""
    metadata = {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {SERVICE_NAME: "kubernetes"},
    }
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata,
        "addressType": "IPv4",
        "endpoints": [{"addresses": [settings.api_address], "conditions": {"ready": True}}],
        "ports": [{"name": "https", "port": settings.api_port, "protocol": "TCP"}],
    }


def api_endpoints(settings: ControllerSettings) -> dict[str, Any]:
    """The same for readers of Endpoints; it is not to be mirrored to a second slice."""
    metadata = {
        "name": "kubernetes",
        "namespace": "default",
        "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"},
    }
    port = {"name": "https", "port": settings.api_port, "protocol": "TCP"}
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": metadata,
        "subsets": [{"addresses": [{"ip": settings.api_address}], "ports": [port]}],
    }


def dns_service(settings: ControllerSettings) -> dict[str, Any]:
    """The Service `kube-dns`, at the address that every pod's resolv.conf names."""
    labels = {
        **DNS_LABELS,
        "kubernetes.io/cluster-service": "true",
        "kubernetes.io/name": "CoreDNS",
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": labels},
        "spec": {
            "type": "ClusterIP",
            "clusterIP": settings.dns_address,
            "selector": DNS_LABELS,
            "ports": [
                _port("dns", DNS_PORT, "UDP"),
                _port("dns-tcp", DNS_PORT, "TCP"),
                _port("metrics", DNS_METRICS_PORT, "TCP"),
            ],
        },
    }


def dns_deployment() -> dict[str, Any]:
    """The pods behind it; they prefer different nodes."""
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "coredns",
            "namespace": "kube-system",
            "labels": {**DNS_LABELS, "kubernetes.io/name": "CoreDNS"},
        },
        "spec": {
            "replicas": DNS_REPLICAS,
            "strategy": strategy,
            "selector": {"matchLabels": DNS_LABELS},
            "template": {"metadata": {"labels": DNS_LABELS}, "spec": _dns_pod()},
        },
    }


def _dns_pod() -> dict[str, Any]:
    probe = {"httpGet": {"path": "/ready", "port": DNS_READY_PORT}, "periodSeconds": 10}
    container = {
        "name": "coredns",
        "image": "coredns",
        "ports": [
            _container_port("dns", DNS_PORT, "UDP"),
            _container_port("dns-tcp", DNS_PORT, "TCP"),
            _container_port("metrics", DNS_METRICS_PORT, "TCP"),
        ],
        "readinessProbe": probe,
    }
    return {
        "priorityClassName": "system-cluster-critical",
        "dnsPolicy": "Default",
        "tolerations": [{"key": "CriticalAddonsOnly", "operator": "Exists"}],
        "containers": [container],
    }


def _port(name: str, port: int, protocol: str) -> dict[str, Any]:
    return {"name": name, "port": port, "targetPort": port, "protocol": protocol}


def _container_port(name: str, port: int, protocol: str) -> dict[str, Any]:
    return {"name": name, "containerPort": port, "protocol": protocol}
