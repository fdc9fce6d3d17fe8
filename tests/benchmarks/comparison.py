"""Results of ways taken in turns, as tables with ratios, and as figures that goals are met by.

Pure: results in, tables out.
"""

from tests.benchmarks.runs import Results
from tests.benchmarks.stage import DIRECT
from tests.benchmarks.table import Table

HAPROXY, ENVOY = "HAProxy x3", "Envoy x3"
LARGE = "HAProxy, 256 KiB buffers x3"
COMPARED = {"direct": DIRECT, "HAProxy": HAPROXY, "Envoy": ENVOY}
_RATIOS = tuple(f"to {name}" for name in COMPARED)
_LOST = "lost"


def requests(title: str, key: str, results: Results, note: str) -> Table:
    """Requests or connections a second."""
    table = Table(
        title,
        ("way", "a second", "min..max", *_RATIOS, "p50", "p99", "CPU each", _LOST),
        note=_note(note, results),
        figures=_figures(key, results),
    )
    for way in results.runs:
        p50, p99 = results.quantiles(way)
        table.add(
            way,
            f"{results.median(way):,.0f}",
            _spread(results, way, "{:,.0f}"),
            *_ratios(results, way),
            f"{p50 * 1e3:.2f} ms",
            f"{p99 * 1e3:.2f} ms",
            f"{results.cpu(way) * 1e6:.0f} us",
            str(results.lost(way)),
        )
    return table


def bulk(title: str, key: str, results: Results, note: str) -> Table:
    """Gigabytes a second."""
    table = Table(
        title,
        ("way", "GB/s", "min..max", *_RATIOS, "CPU of a GB", _LOST),
        note=_note(note, results),
        figures=_figures(key, results),
    )
    for way in results.runs:
        table.add(
            way,
            f"{results.median(way):.2f}",
            _spread(results, way, "{:.2f}"),
            *_ratios(results, way),
            f"{results.cpu(way):.2f} s",
            str(results.lost(way)),
        )
    return table


def latency(title: str, key: str, results: Results, note: str) -> Table:
    """Microseconds; the ratios are of times, so less is better."""
    table = Table(
        title,
        ("way", "p50", "min..max", *_RATIOS, "p99", "CPU each", _LOST),
        note=_note(note, results),
        figures=_figures(key, results),
    )
    for way in results.runs:
        table.add(
            way,
            f"{results.median(way) * 1e6:.0f} us",
            "..".join(f"{end * 1e6:.0f}" for end in _ends(results, way)),
            *_ratios(results, way),
            f"{results.quantiles(way)[1] * 1e6:.0f} us",
            f"{results.cpu(way) * 1e6:.0f} us",
            str(results.lost(way)),
        )
    return table


def _figures(key: str, results: Results) -> dict[str, float]:
    """Every ratio by "key: way / to", and what our own ways lost."""
    found: dict[str, float] = {}
    for way in results.runs:
        for name, to in COMPARED.items():
            ratio = results.ratio(way, to)
            if ratio is not None:
                found[f"{key}: {way} / {name}"] = ratio
        if way.startswith("kubehop"):
            found[f"{key}: {way}, lost"] = results.lost(way)
    return found


def _ratios(results: Results, way: str) -> list[str]:
    found = [results.ratio(way, to) for to in COMPARED.values()]
    return ["" if ratio is None else f"{ratio:.2f}" for ratio in found]


def _spread(results: Results, way: str, form: str) -> str:
    return "..".join(form.format(end) for end in _ends(results, way))


def _ends(results: Results, way: str) -> tuple[float, float]:
    values = results.values(way)
    return min(values), max(values)


def _note(note: str, results: Results) -> str:
    return f"{note} Medians of {results.rounds} rounds. {results.disturbance()}"
