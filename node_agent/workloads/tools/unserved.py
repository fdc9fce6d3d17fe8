"""Tools that look at packets and the like: each says what tells the same instead."""

from node_agent.workloads.tools.process import Failed, Process

INSTEAD = {
    "tcpdump": "there are no packets to capture: `kubehop trace` shows each connection's hops",
    "tshark": "there are no packets to capture: `kubehop trace` shows each connection's hops",
    "nmap": "raw packets cannot be sent: `nc -zv HOST 1-1024` tries ports",
    "mtr": "there is no ICMP: `kubehop trace` shows each connection's hops",
    "traceroute": "there is no ICMP: `kubehop trace` shows each connection's hops",
    "tracepath": "there is no ICMP: `kubehop trace` shows each connection's hops",
    "openssl": "`curl -v https://HOST/` shows the handshake and what came of the certificate",
    "iptables": "rules are decisions of the node: `kubehop trace` shows which one held",
    "iptables-save": "rules are decisions of the node: `kubehop trace` shows which one held",
    "nft": "rules are decisions of the node: `kubehop trace` shows which one held",
    "conntrack": "connections are the node's to track: `ss -tan` shows the pod's",
}


async def run(process: Process) -> int:
    """Refuse, and say what to use."""
    raise Failed(f"not served here: {INSTEAD[process.name]}")
