"""What CoreDNS counts, under its names.

Pure: counts in, Prometheus' text out. One server block answers for everything, as kubeadm has it,
so `zone` is "." throughout. Spec: O-68 to O-71.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from cluster.wire.dns import RRType, rcode_name, type_name

VERSION = "1.12.0"  # of the CoreDNS whose behaviour this is
PLUGINS = ("errors", "health", "kubernetes", "loadbalance", "prometheus", "ready")
DURATION_BUCKETS = tuple(0.00025 * 2**power for power in range(16))
SIZE_BUCKETS = (0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3)
_COUNTED_TYPES = frozenset(
    {
        RRType.A,
        RRType.AAAA,
        RRType.CNAME,
        RRType.HTTPS,
        RRType.MX,
        RRType.NS,
        RRType.PTR,
        RRType.SOA,
        RRType.SRV,
        RRType.SVCB,
        RRType.TXT,
        RRType.ANY,
    }
)


class Histogram:
    """Counts of values up to each bound."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def add(self, value: float, count: int = 1) -> None:
        """Count a value, once or several times."""
        self._counts[bisect_left(self._bounds, value)] += count
        self._sum += value * count

    def add_each(self, values: Sequence[float]) -> None:
        """Count many values, each once."""
        counts, bounds = self._counts, self._bounds
        for value in values:
            counts[bisect_left(bounds, value)] += 1
        self._sum += sum(values)

    def lines(self, name: str, labels: str) -> Iterator[str]:
        """The samples of this histogram."""
        total = 0
        for bound, count in zip(self._bounds, self._counts, strict=False):
            total += count
            yield f'{name}_bucket{{{labels},le="{bound:g}"}} {total}'
        total += self._counts[-1]
        yield f'{name}_bucket{{{labels},le="+Inf"}} {total}'
        yield f"{name}_sum{{{labels}}} {self._sum:g}"
        yield f"{name}_count{{{labels}}} {total}"


class DnsMetrics:
    """The counts of one server."""

    def __init__(self, server: str = "dns://:53") -> None:
        self._where = f'server="{server}",zone=".",view=""'
        self._requests: Counter[tuple[str, str, str]] = Counter()
        self._responses: Counter[tuple[str, str]] = Counter()
        self._do_requests = 0
        self._panics = 0
        self._before_reading: Callable[[], None] | None = None
        self._duration = Histogram(DURATION_BUCKETS)
        self._sizes: dict[str, tuple[Histogram, Histogram]] = {
            proto: (Histogram(SIZE_BUCKETS), Histogram(SIZE_BUCKETS)) for proto in ("udp", "tcp")
        }

    def served(
        self,
        *,
        proto: str,
        family: str,
        type_: int | None,
        rcode: int,
        plugin: str,
        dnssec_ok: bool,
        sizes: tuple[int, int],
        count: int = 1,
    ) -> None:
        """Count queries that are alike; sizes are of the query and of the response."""
        counted = type_name(type_) if type_ in _COUNTED_TYPES else "other"
        self._requests[proto, family, counted] += count
        self._responses[rcode_name(rcode), plugin] += count
        self._do_requests += count if dnssec_ok else 0
        for histogram, size in zip(self._sizes[proto], sizes, strict=True):
            histogram.add(size, count)

    def took(self, seconds: float, count: int = 1) -> None:
        """Count how long queries took that were answered together."""
        self._duration.add(seconds, count)

    def took_each(self, seconds: Sequence[float]) -> None:
        """Count how long queries took that were answered one by one."""
        self._duration.add_each(seconds)

    def before_reading(self, settle: Callable[[], None]) -> None:
        """Let `settle` count what it has not yet, before anybody reads."""
        self._before_reading = settle

    def panicked(self) -> None:
        """Count a query that our own mistake cut short."""
        self._panics += 1

    @property
    def requests(self) -> int:
        """How many queries were answered."""
        self._settle()
        return self._requests.total()

    def text(self) -> str:
        """The text of /metrics."""
        self._settle()
        return "\n".join(self._lines()) + "\n"

    def _settle(self) -> None:
        if self._before_reading is not None:
            self._before_reading()

    def _lines(self) -> Iterator[str]:
        where = self._where
        yield from _family("coredns_dns_requests_total", "counter", "DNS requests.")
        for (proto, family, type_), count in sorted(self._requests.items()):
            labels = f'{where},proto="{proto}",family="{family}",type="{type_}"'
            yield f"coredns_dns_requests_total{{{labels}}} {count}"
        yield from _family("coredns_dns_responses_total", "counter", "DNS responses, by rcode.")
        for (rcode, plugin), count in sorted(self._responses.items()):
            labels = f'{where},rcode="{rcode}",plugin="{plugin}"'
            yield f"coredns_dns_responses_total{{{labels}}} {count}"
        yield from _family("coredns_dns_do_requests_total", "counter", "Requests with DO set.")
        yield f"coredns_dns_do_requests_total{{{where}}} {self._do_requests}"
        yield from self._histograms()
        yield from _family("coredns_panics_total", "counter", "Queries cut short by a mistake.")
        yield f"coredns_panics_total {self._panics}"
        yield from _constants(where, PLUGINS)

    def _histograms(self) -> Iterator[str]:
        name = "coredns_dns_request_duration_seconds"
        yield from _family(name, "histogram", "Time from request to response.")
        yield from self._duration.lines(name, self._where)
        for index, what in enumerate(("request", "response")):
            name = f"coredns_dns_{what}_size_bytes"
            yield from _family(name, "histogram", f"Size of the {what}.")
            for proto, pair in self._sizes.items():
                yield from pair[index].lines(name, f'{self._where},proto="{proto}"')


def _constants(where: str, plugins: Iterable[str]) -> Iterator[str]:
    yield from _family("coredns_build_info", "gauge", "What is running.")
    yield f'coredns_build_info{{version="{VERSION}",revision="kubehop",goversion=""}} 1'
    yield from _family("coredns_plugin_enabled", "gauge", "What the server can do.")
    for plugin in plugins:
        yield f'coredns_plugin_enabled{{{where},name="{plugin}"}} 1'


def _family(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"
