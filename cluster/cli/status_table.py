"""The report of `kubehop status` as a terminal shows it.

    cluster default: 3 nodes, programmed on 3/3 nodes
      API         https://127.64.0.254:6443
      kubeconfig  /home/ada/.local/state/kubehop/default/kubeconfig

    PROCESS  STATE    PID    RESTARTS  AGE
    ...

Pure: a report in, text out.
"""

from collections.abc import Iterator, Sequence

from cluster.cli.status_report import PortRow, ProcessRow, Report, ServiceRow
from cluster.cli.terminal import BAD, BOLD, DIM, styled

GAP = "  "
COLUMNS = 80
UNPRIVILEGED = "sysctl net.ipv4.ip_unprivileged_port_start=0"

Row = Sequence[str]


def status_text(report: Report, *, colour: bool) -> str:
    """Everything, with a newline at the end."""
    parts = [_head(report, colour), _processes(report, colour)]
    if report.problem:
        parts.append(
            styled(f"the API server does not answer: {report.problem}", BAD, colour=colour)
        )
    else:
        parts += [_nodes(report, colour), _services(report, colour)]
    parts += ["\n".join(notes)] if (notes := list(_notes(report))) else []
    return "\n\n".join(part for part in parts if part) + "\n"


def age(seconds: float) -> str:
    """How long something has run: "12s", "5m3s", "2h7m", "3d4h"."""
    whole = int(seconds)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if minutes < 1:
        return f"{whole}s"
    if hours < 1:
        return f"{minutes}m{whole % 60}s"
    if days < 1:
        return f"{hours}h{minutes % 60}m"
    return f"{days}d{hours % 24}h"


def _head(report: Report, colour: bool) -> str:
    count = len(report.nodes)
    title = f"cluster {report.name}"
    if not report.problem:
        nodes = "1 node" if count == 1 else f"{count} nodes"
        title += f": {nodes}, programmed on {report.nodes_programmed}/{count} nodes"
    rows = [("API", report.api_url), ("kubeconfig", report.kubeconfig)]
    lines = [f"  {name:<12}{value}" for name, value in rows if value]
    return "\n".join([styled(title, BOLD, colour=colour), *lines])


def _processes(report: Report, colour: bool) -> str:
    rows = [_process(each) for each in report.processes]
    return _table(("PROCESS", "STATE", "PID", "RESTARTS", "AGE"), rows, colour)


def _process(process: ProcessRow) -> Row:
    runs = process.state not in ("waiting", "stopped")
    return (
        process.name,
        process.state,
        str(process.pid) if runs and process.pid else "-",
        str(process.restarts),
        age(process.seconds) if runs else "-",
    )


def _nodes(report: Report, colour: bool) -> str:
    rows = [
        (node.name, node.status, node.internal_ip, node.address, str(node.pods))
        for node in report.nodes
    ]
    return _table(("NODE", "STATUS", "INTERNAL-IP", "REAL-IP", "PODS"), rows, colour)


def _services(report: Report, colour: bool) -> str:
    ports = [port for service in report.services for port in _ports(service)]
    if not ports:
        return ""
    head = ("SERVICE", "TYPE", "CLUSTER-IP", "PORT", "REACHED AT")
    before = _widths(head[:-1], [own for own, _ in ports])
    room = COLUMNS - sum(before) - len(GAP) * len(before)
    rows = [row for own, places in ports for row in _reached(own, places, room)]
    return _table(head, rows, colour)


def _ports(service: ServiceRow) -> Iterator[tuple[Row, Row]]:
    """Each port's columns and its places; the Service's own columns on the first."""
    first = (service.name, service.type, service.cluster_ip or "None")
    if not service.ports:
        yield (*first, "-"), ("-",)
    for index, port in enumerate(service.ports):
        own = ("", "", "") if index else first
        yield (*own, port.port), _places(service, port)


def _places(service: ServiceRow, port: PortRow) -> Row:
    places = list(port.real)
    if service.type == "LoadBalancer" and not places:
        places.append("<pending>")
    if port.node_port:
        places.append(f"nodes:{port.node_port}")
    return places or ("from inside",)


def _reached(own: Row, places: Row, room: int) -> Iterator[Row]:
    """One row; or one for each place where they do not fit beside each other."""
    together = ", ".join(places)
    if len(together) <= room:
        yield (*own, together)
        return
    yield (*own, places[0])
    yield from (("",) * len(own) + (place,) for place in places[1:])


def _notes(report: Report) -> Iterator[str]:
    """What differs from what one would expect, and what to do."""
    moved = [port.port for service in report.services for port in service.ports if port.moved]
    if moved:
        ports = ", ".join(sorted(set(moved)))
        yield (
            f"{ports}: ports below 1024 may not be bound here and are served 8000 higher;\n"
            f"  `{UNPRIVILEGED}`, as root, frees them"
        )
    yield from report.unserved
    for name, why in sorted(report.programmed.items()):
        if why:
            yield f"{name} does not decide by the newest objects: {why}"


def _table(head: Row, rows: Sequence[Row], colour: bool) -> str:
    """Columns as wide as their widest cell; nothing without rows."""
    if not rows:
        return ""
    widths = _widths(head, rows)
    lines = [_line(row, widths) for row in (head, *rows)]
    return "\n".join([styled(lines[0], DIM, colour=colour), *lines[1:]])


def _widths(head: Row, rows: Sequence[Row]) -> list[int]:
    return [max(map(len, column)) for column in zip(head, *rows, strict=True)]


def _line(row: Row, widths: Sequence[int]) -> str:
    return GAP.join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
