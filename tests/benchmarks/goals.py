"""What is to be reached, and whether it is, by the figures of the tables.

Pure: figures in, a table out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.benchmarks.table import Table

KUBEHOP, RELAYS = "kubehop", "kubehop, relays only"
NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure: at least (or, where less is better, at most) this; that is aimed at."""

    what: str
    figure: str  # its name among the tables' figures
    least: float | None
    aim: float
    less_is_better: bool = False
    unit: str = ""

    def reached(self, measured: float) -> str:
        """In words."""
        if self._holds(measured, self.aim):
            return "yes, and the aim"
        if self.least is None:
            return "no"
        return "yes" if self._holds(measured, self.least) else "**no**"

    def _holds(self, measured: float, bound: float) -> bool:
        return measured <= bound if self.less_is_better else measured >= bound


def table(figures: Mapping[str, float]) -> Table:
    """All goals."""
    found = Table(
        "Goals",
        ("what", "at least", "aim", "measured", "reached"),
        note="Ratios of medians of the tables below. Rows with <= are bounds from above.",
    )
    for goal in [*_all(), _lost(figures)]:
        measured = figures.get(goal.figure)
        found.add(
            goal.what,
            "" if goal.least is None else _shown(goal, goal.least, bound=True),
            _shown(goal, goal.aim, bound=True),
            NOT_MEASURED if measured is None else _shown(goal, measured),
            "" if measured is None else goal.reached(measured),
        )
    return found


def _shown(goal: Goal, number: float, bound: bool = False) -> str:
    sign = "<= " if bound and goal.less_is_better else ""
    text = f"{number:g}" if bound else f"{number:.2f}" if number < 100 else f"{number:,.0f}"
    return f"{sign}{text}{goal.unit}"


def _all() -> Iterator[Goal]:
    yield from _against_peers()
    yield Goal(
        "memory of gateway and nodes, 1,000 idle connections",
        "idle: kubehop without the pod",
        0.5,
        0.1,
        True,
        " MiB",
    )
    yield from _elsewhere()


def _against_peers() -> Iterator[Goal]:
    for clients in (32, 128):
        of, key = f"keep-alive requests, {clients} clients", f"keep-alive {clients}: {KUBEHOP}"
        yield Goal(f"{of}, to direct", f"{key} / direct", 0.93, 0.98)
        yield Goal(f"{of}, to three HAProxys", f"{key} / HAProxy", 3.6, 4.2)
        yield Goal(f"{of}, to three Envoys", f"{key} / Envoy", 6.0, 7.5)
    key = f"connections, minimal: {KUBEHOP}"
    yield Goal("new connections, to three HAProxys", f"{key} / HAProxy", 1.5, 2.6)
    yield Goal("new connections, to three Envoys", f"{key} / Envoy", 3.0, 5.2)
    key = f"connections, aiohttp: {KUBEHOP} / direct"
    yield Goal("new connections, aiohttp pod, to direct", key, 0.9, 1.2)
    for streams, plural in ((1, ""), (4, "s")):
        for way in ("up", "down"):
            of, key = f"bulk {way}load, {streams} connection{plural}", f"bulk {way} {streams}: "
            yield Goal(f"{of}, to direct", f"{key}{KUBEHOP} / direct", 0.90, 0.97)
    key = f"first reply: {KUBEHOP} / HAProxy"
    yield Goal("connect and first reply, to three HAProxys", key, 1.0, 0.7, True)
    key = f"pod to pod: {KUBEHOP} / direct"
    yield Goal("pod to Service to pod, to direct", key, 0.93, 0.98)
    yield from _relays()


def _relays() -> Iterator[Goal]:
    key = f"keep-alive 32: {RELAYS} / HAProxy"
    yield Goal("relays only, keep-alive, to three HAProxys", key, 0.8, 0.95)
    for way in ("up", "down"):
        key = f"bulk {way} 1: {RELAYS} / HAProxy"
        yield Goal(f"relays only, bulk {way}load, to three HAProxys", key, 1.8, 2.3)
    ours = "kubehop's relay x3 / HAProxy"
    key = f"bare relays, keep-alive: {ours}"
    yield Goal("three bare relays, keep-alive, to three HAProxys", key, 0.8, 0.95)
    for way in ("up", "down"):
        key = f"bare relays, bulk {way}: {ours}"
        yield Goal(f"three bare relays, bulk {way}load, to three HAProxys", key, 1.8, 2.3)


def _elsewhere() -> Iterator[Goal]:
    yield Goal("datagrams, two hops, to Envoy", "datagrams: kubehop / Envoy", 1.0, 1.4)
    yield Goal("datagrams, two hops, to socat", "datagrams: kubehop / socat", 1.5, 2.3)
    yield Goal("names, full answers, to dnsmasq", "names: kubehop / dnsmasq", 0.9, 1.2)
    key = "names with EDNS: kubehop / dnsmasq"
    yield Goal("names, full answers, EDNS, to dnsmasq", key, 0.9, 1.2)
    key = "a name, one at a time: kubehop / dnsmasq"
    yield Goal("a name, one question at a time, to dnsmasq", key, 1.15, 1.0, True)
    yield Goal(
        "`kubehop up`, three nodes, to the first 200", "start: first 200", 1.0, 0.5, True, " s"
    )
    yield Goal("a node's private memory, idle", "memory: node, idle", 8, 4, True, " MiB")
    key = "memory: node, after work"
    yield Goal("a node's private memory, after work", key, 14, 8, True, " MiB")
    key = "many nodes: 100 up"
    yield Goal("100 nodes with 1,000 pods up", key, 20, 8, True, " s")
    key = "many nodes: 300 up"
    yield Goal("300 nodes with 3,000 pods up", key, None, 30, True, " s")
    key = "decisions: new connection"
    what = "a new connection, 10,000 Services and 1,000 policies to 10 and 1"
    yield Goal(what, key, 1.1, 1.02, True)
    key = "many nodes: change seen, p99"
    yield Goal("an endpoint's change seen by 100 nodes, p99", key, 100, 50, True, " ms")


def _lost(figures: Mapping[str, float]) -> Goal:
    """Added up by `with_lost`."""
    return Goal("lost, reset or misdelivered in any of these", "lost", 0, 0, True)


def with_lost(figures: Mapping[str, float]) -> dict[str, float]:
    """The figures, with those of what was lost added up."""
    lost = [number for name, number in figures.items() if name.endswith(", lost")]
    return {**figures, **({"lost": sum(lost)} if lost else {})}


def gathered(tables: Iterable[Table]) -> dict[str, float]:
    """The figures of all tables."""
    return with_lost({name: at for each in tables for name, at in each.figures.items()})
