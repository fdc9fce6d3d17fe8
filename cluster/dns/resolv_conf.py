"""resolv.conf: how a program's resolver is told whom to ask, and which names to try.

    nameserver 10.96.0.10
    search default.svc.cluster.local svc.cluster.local cluster.local
    options ndots:5

Pure: no I/O. Spec: D-68 to D-84; resolv.conf(5).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from cluster.dataclass import dataclass

NAMESERVERS_MAX = 3  # D-74, D-84
SEARCHES_MAX = 32
SEARCH_CHARACTERS_MAX = 2048
NDOTS_DEFAULT, NDOTS_MAX = 1, 15
TIMEOUT_SECONDS_DEFAULT, TIMEOUT_SECONDS_MAX = 5, 30
ATTEMPTS_DEFAULT, ATTEMPTS_MAX = 2, 5
LOCAL_SERVER = "127.0.0.1"  # what libc asks when no nameserver is named
CLUSTER_OPTIONS = (("ndots", "5"),)

Options = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvConf:
    """What the file says, in its order; an option is (name, value) or (name, None)."""

    nameservers: tuple[str, ...] = ()
    searches: tuple[str, ...] = ()
    options: Options = ()

    @classmethod
    def parse(cls, text: str) -> "ResolvConf":
        """Read the file as libc does: the last search line counts, what it knows not is skipped."""
        conf = cls()
        for line in text.splitlines():
            words = re.split("[#;]", line, maxsplit=1)[0].split()
            match words:
                case ["nameserver", address, *_]:
                    conf = replace(conf, nameservers=(*conf.nameservers, address))
                case ["search", *names]:
                    conf = replace(conf, searches=tuple(map(_suffix, names)))
                case ["domain", name, *_]:
                    conf = replace(conf, searches=(_suffix(name),))
                case ["options", *options]:
                    conf = replace(conf, options=conf.options + tuple(map(_option, options)))
        return conf

    def format(self) -> str:
        """The file as kubelet writes it."""
        lines = [f"nameserver {address}" for address in self.nameservers]
        if self.searches:
            lines.append(f"search {' '.join(self.searches)}")
        if self.options:
            options = (name if value is None else f"{name}:{value}" for name, value in self.options)
            lines.append(f"options {' '.join(options)}")
        return "".join(f"{line}\n" for line in lines)

    @property
    def servers(self) -> tuple[str, ...]:
        """Whom libc asks: the first three, or this host (D-84)."""
        return self.nameservers[:NAMESERVERS_MAX] or (LOCAL_SERVER,)

    @property
    def ndots(self) -> int:
        """A name with fewer dots is searched before it is tried as it is."""
        return min(self._number("ndots", NDOTS_DEFAULT), NDOTS_MAX)

    @property
    def timeout_seconds(self) -> int:
        """How long one server is waited for (D-83)."""
        given = self._number("timeout", TIMEOUT_SECONDS_DEFAULT)
        return min(max(1, given), TIMEOUT_SECONDS_MAX)

    @property
    def attempts(self) -> int:
        """How often the list of servers is gone through (D-83)."""
        return min(max(1, self._number("attempts", ATTEMPTS_DEFAULT)), ATTEMPTS_MAX)

    @property
    def uses_tcp(self) -> bool:
        """Option use-vc: ask by TCP from the start."""
        return any(name == "use-vc" for name, _ in self.options)

    def candidates(self, name: str) -> tuple[str, ...]:
        """The names to ask for, in order, without their final dots (D-78, D-79)."""
        if name.endswith("."):
            return (name.rstrip("."),)
        searched = [name if suffix == "." else f"{name}.{suffix}" for suffix in self.searches]
        ordered = [name, *searched] if name.count(".") >= self.ndots else [*searched, name]
        return tuple(dict.fromkeys(ordered))

    def _number(self, wanted: str, default: int) -> int:
        """The value of a numeric option; the last one given counts."""
        for name, value in reversed(self.options):
            if name == wanted and value is not None and value.isdecimal():
                return int(value)
        return default


def _suffix(name: str) -> str:
    return name.rstrip(".") or "."  # the root alone is a search domain too (D-76)


def _option(word: str) -> tuple[str, str | None]:
    name, colon, value = word.partition(":")
    return name, value if colon else None


@dataclass(frozen=True, slots=True)
class PodDns:
    """A pod's resolver configuration, and what kubelet has to say about it (reason, message)."""

    conf: ResolvConf
    events: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDns:
    """Where the cluster's DNS is; no servers means that none is configured."""

    servers: tuple[str, ...] = ("10.96.0.10",)
    domain: str = "cluster.local"


def pod_resolv_conf(
    *,
    namespace: str,
    cluster: ClusterDns,
    host: ResolvConf,
    policy: str = "ClusterFirst",
    host_network: bool = False,
    dns_config: Mapping[str, Any] | None = None,
) -> PodDns:
    """What kubelet writes into a pod's /etc/resolv.conf for its dnsPolicy (D-68 to D-75)."""
    events: list[tuple[str, str]] = []
    effective = _effective_policy(policy, host_network)
    if effective == "ClusterFirst" and not cluster.servers:
        message = f'kubelet has no cluster DNS address: policy "{policy}" falls back to "Default"'
        events.append(("MissingClusterDNS", message))
        effective = "Default"
    if effective == "None":
        conf = ResolvConf()
    elif effective == "Default":
        conf = host
    else:
        searches = _cluster_searches(namespace, cluster.domain)
        searches = _unique((*searches, *host.searches))
        conf = ResolvConf(nameservers=cluster.servers, searches=searches, options=CLUSTER_OPTIONS)
    merged = _merged(conf, dns_config or {})
    cut = _cut(merged)
    if cut != merged:
        message = f"limits were exceeded, some were left out; applied: {_one_line(cut)}"
        events.append(("DNSConfigForming", message))
    return PodDns(cut, tuple(events))


def _effective_policy(policy: str, host_network: bool) -> str:
    if policy == "ClusterFirst" and host_network:
        return "Default"  # D-71
    return "ClusterFirst" if policy == "ClusterFirstWithHostNet" else policy


def _cluster_searches(namespace: str, domain: str) -> tuple[str, ...]:
    return (f"{namespace}.svc.{domain}", f"svc.{domain}", domain)


def _merged(conf: ResolvConf, extra: Mapping[str, Any]) -> ResolvConf:
    """dnsConfig on top: lists are joined, an option replaces its namesake (D-73)."""
    given: dict[str, str | None] = {
        each["name"]: each.get("value") for each in extra.get("options") or ()
    }
    return ResolvConf(
        nameservers=_unique((*conf.nameservers, *(extra.get("nameservers") or ()))),
        searches=_unique((*conf.searches, *map(_suffix, extra.get("searches") or ()))),
        options=tuple({**dict(conf.options), **given}.items()),
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _cut(conf: ResolvConf) -> ResolvConf:
    """Within the limits of D-74, whole names dropped from the end."""
    searches = conf.searches[:SEARCHES_MAX]
    while len(" ".join(searches)) > SEARCH_CHARACTERS_MAX:
        searches = searches[:-1]
    return replace(conf, nameservers=conf.nameservers[:NAMESERVERS_MAX], searches=searches)


def _one_line(conf: ResolvConf) -> str:
    return "; ".join(conf.format().splitlines())
