"""The /etc/hosts that the kubelet writes for a pod.

Pure: text out. Spec: D-87, D-88.
"""

from collections.abc import Iterable

HEAD = "# Kubernetes-managed hosts file."
ALIASES_HEAD = "# Entries added by HostAliases."
LOCAL = (
    ("127.0.0.1", ("localhost",)),
    ("::1", ("localhost", "ip6-localhost", "ip6-loopback")),
    ("fe00::0", ("ip6-localnet",)),
    ("fe00::0", ("ip6-mcastprefix",)),
    ("fe00::1", ("ip6-allnodes",)),
    ("fe00::2", ("ip6-allrouters",)),
)

Alias = tuple[str, tuple[str, ...]]  # an address and its names


def hosts_file(
    ip: str,
    hostname: str,
    *,
    subdomain: str = "",
    namespace: str = "",
    cluster_domain: str = "cluster.local",
    aliases: Iterable[Alias] = (),
) -> str:
    """The file's text; with a subdomain the pod has a full name too."""
    full = f"{hostname}.{subdomain}.{namespace}.svc.{cluster_domain}" if subdomain else ""
    lines = [HEAD, *(_line(each) for each in LOCAL)]
    lines.append(_line((ip, (full, hostname) if full else (hostname,))))
    added = [_line(each) for each in aliases]
    if added:
        lines += ["", ALIASES_HEAD, *added]
    return "\n".join(lines) + "\n"


def hosts_table(text: str) -> dict[str, str]:
    """IPv4 addresses by name, as a resolver reads the file: the first line of a name wins."""
    table: dict[str, str] = {}
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if "." in address:
            for name in names:
                table.setdefault(name.lower(), address)
    return table


def _line(alias: Alias) -> str:
    address, names = alias
    return "\t".join((address, *names))
