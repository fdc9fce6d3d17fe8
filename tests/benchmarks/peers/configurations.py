"""The peers' configurations: defaults but for backlog, limits, and one thread or worker each.

Pure: addresses in, text out.
"""

import json
from collections.abc import Mapping

from tests.benchmarks.peers.ports import Address

BACKLOG = 4096
CONNECTIONS_MAX = 4_000
BUFFER = 256 * 1024


def haproxy(listen: Address, target: Address, buffer: int | None = None) -> str:
    """TCP mode; with 16 KiB buffers unless told otherwise."""
    tuned = f"    tune.bufsize {buffer}\n" if buffer else ""
    return f"""global
    nbthread 1
    maxconn {CONNECTIONS_MAX}
{tuned}defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen relay
    bind {_text(listen)} backlog {BACKLOG}
    server target {_text(target)}
"""


def nginx(listen: Address, target: Address, module: str, pid_file: str, udp: bool = False) -> str:
    """The stream module; half-closed connections live on, else answers after one are lost."""
    how, more = (" udp", "") if udp else (f" backlog={BACKLOG}", "proxy_half_close on;")
    return f"""load_module {module};
daemon off;
worker_processes 1;
pid {pid_file};
error_log stderr error;
worker_rlimit_nofile {2 * CONNECTIONS_MAX};
events {{ worker_connections {2 * CONNECTIONS_MAX}; }}
stream {{
    server {{
        listen {_text(listen)}{how};
        proxy_pass {_text(target)};
        {more}
    }}
}}
"""


def envoy(listen: Address, target: Address) -> str:
    """tcp_proxy."""
    proxy = {
        "name": "envoy.filters.network.tcp_proxy",
        "typed_config": {
            "@type": _type("network.tcp_proxy.v3.TcpProxy"),
            "stat_prefix": "relay",
            "cluster": "target",
        },
    }
    listener = {
        "name": "relay",
        "address": _socket_address(listen),
        "tcp_backlog_size": BACKLOG,
        "filter_chains": [{"filters": [proxy]}],
    }
    return _bootstrap(listener, target)


def envoy_udp(listen: Address, target: Address) -> str:
    """udp_proxy."""
    route = {"@type": _type("udp.udp_proxy.v3.Route"), "cluster": "target"}
    proxy = {
        "name": "envoy.filters.udp_listener.udp_proxy",
        "typed_config": {
            "@type": _type("udp.udp_proxy.v3.UdpProxyConfig"),
            "stat_prefix": "relay",
            "matcher": {"on_no_match": {"action": {"name": "route", "typed_config": route}}},
        },
    }
    listener = {
        "name": "relay",
        "address": _socket_address(listen, "UDP"),
        "listener_filters": [proxy],
    }
    return _bootstrap(listener, target)


def _bootstrap(listener: Mapping[str, object], target: Address) -> str:
    endpoint = {"endpoint": {"address": _socket_address(target)}}
    limits = {"max_connections": CONNECTIONS_MAX, "max_pending_requests": CONNECTIONS_MAX}
    cluster = {
        "name": "target",
        "type": "STATIC",
        "connect_timeout": "10s",
        "circuit_breakers": {"thresholds": [limits]},
        "load_assignment": {
            "cluster_name": "target",
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }
    return json.dumps({"static_resources": {"listeners": [listener], "clusters": [cluster]}})


def _socket_address(address: Address, protocol: str = "TCP") -> dict[str, object]:
    ip, port = address
    return {"socket_address": {"protocol": protocol, "address": ip, "port_value": port}}


def _type(name: str) -> str:
    return f"type.googleapis.com/envoy.extensions.filters.{name}"


def _text(address: Address) -> str:
    return f"{address[0]}:{address[1]}"
