"""Runs the transcripts of this directory: a cluster in a few lines, connections, and each decision.

The connections are carried from node to node as the processes carry them: decide() where the flow
enters, admit() where the route ends, FRONT again at another node's own address.
"""

import shlex
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.dataplane.conntrack import AffinityTable
from cluster.dataplane.decision import Decision, Deliver, Drop, Host, Local, Reject, Step, Via
from cluster.dataplane.node_view import NetworkSettings, NodeView, empty_view
from cluster.dataplane.pipeline import admit, decide
from cluster.objects.resources import (
    ENDPOINT_SLICES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PODS,
    SERVICES,
    Resource,
)
from cluster.wire.addresses import Protocol, SocketAddress
from cluster.wire.flow import Entry, Flow, FlowContext, Origin, OriginKind

HERE = Path(__file__).parent
KINDS = {
    each.kind: each
    for each in (NODES, NAMESPACES, PODS, SERVICES, ENDPOINT_SLICES, NETWORK_POLICIES)
}
HOPS_MAX = 5
SOURCE_PORT = 40000

Document = dict[str, Any]


@dataclass
class Cluster:
    """Every node's view of what has been applied, and what each node remembers."""

    documents: dict[tuple[str, str, str], Document] = field(default_factory=dict)
    affinity: dict[str, AffinityTable] = field(default_factory=dict)

    def apply(self, document: Document) -> None:
        metadata = document["metadata"]
        if KINDS[document["kind"]].namespaced:
            metadata.setdefault("namespace", "default")
        self.documents[document["kind"], metadata.get("namespace", ""), metadata["name"]] = document

    def view(self, node: str) -> NodeView:
        ip = self.documents["Node", "", node]["status"]["addresses"][0]["address"]
        changes: list[tuple[Resource, None, Document]] = [
            (KINDS[kind], None, document) for (kind, _, _), document in self.documents.items()
        ]
        return empty_view(node, ip, NetworkSettings()).with_changes(changes)

    # The commands of a transcript

    def do(self, words: list[str], block: str) -> list[str] | None:
        verb, positional, options = _parsed(words)
        match verb:
            case "node":
                self.apply(_node(*positional, **options))
            case "pod":
                self.apply(_pod(*positional, labels=options))
            case "delete":
                kind, (namespace, name) = positional[0], _split(positional[1])
                del self.documents[kind, namespace, name]
            case "apply":
                for document in yaml.safe_load_all(textwrap.dedent(block)):
                    self.apply(document)
            case "connect":
                return self.connect(*positional, **options)
            case _:
                raise ValueError(f"{verb!r} is not a command; see README.md beside this file")
        return None

    def connect(
        self,
        source: str,
        destination: str,
        draw: str = "0.0",
        protocol: str = "TCP",
        at: str = "",
        listening: str = "yes",
        now: str = "0",
    ) -> list[str]:
        address, origin = self._origin(source, at)
        flow = Flow(Protocol(protocol), address, SocketAddress.parse(destination))
        context = FlowContext(
            flow_id="0" * 16, flow=flow, original=flow, origin=origin, entry=Entry.FRONT
        )
        lines: list[str] = []
        node, entry = origin.node, Entry.FRONT
        for _ in range(HOPS_MAX):
            decision = self._ask(node, entry, context, float(draw), float(now), listening == "yes")
            lines += [f"{node}  {line}" for line in map(_line, decision.steps)]
            context = replace(context, flow=decision.flow)
            match decision.verdict:
                case Local():
                    entry = Entry.ADMIT
                case Via(other):
                    node, entry = other, Entry.ADMIT
                case Host(other) if other not in ("", node):
                    node, entry = other, Entry.FRONT
                case verdict:
                    return [*lines, f"=> {_verdict(verdict)}"]
        raise AssertionError(f"{source} -> {destination} made more than {HOPS_MAX} hops")

    def _ask(
        self,
        node: str,
        entry: Entry,
        context: FlowContext,
        draw: float,
        now: float,
        listening: bool,
    ) -> Decision:
        view = self.view(node)
        if entry is Entry.ADMIT:
            return admit(context, view, listening=listening)
        affinity = self.affinity.setdefault(node, AffinityTable())
        decision = decide(context, view, affinity, now=now, draw=draw)
        if decision.pin is not None:
            affinity.remember(decision.pin, now=now)
        return decision

    def _origin(self, source: str, at: str) -> tuple[SocketAddress, Origin]:
        kind, _, name = source.partition("/")
        if kind == "node":
            ip = self.documents["Node", "", name]["status"]["addresses"][0]["address"]
            return SocketAddress(ip, SOURCE_PORT), Origin(OriginKind.NODE, name, at or name)
        if "/" not in source:
            return SocketAddress(source, SOURCE_PORT), Origin(OriginKind.OUTSIDE, source, at)
        pod = self.documents["Pod", kind, name]
        node = pod["spec"]["nodeName"]
        ip = pod["status"]["podIP"]
        return SocketAddress(ip, SOURCE_PORT), Origin(OriginKind.POD, source, at or node)


def _parsed(words: list[str]) -> tuple[str, list[str], dict[str, str]]:
    positional = [word for word in words[1:] if "=" not in word]
    options = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    return words[0], positional, options


def _split(name: str) -> tuple[str, str]:
    namespace, _, rest = name.rpartition("/")
    return namespace, rest


def _node(name: str, ip: str, cidr: str, zone: str = "", external: str = "") -> Document:
    addresses = [{"type": "InternalIP", "address": ip}]
    addresses += [{"type": "ExternalIP", "address": external}] if external else []
    labels = {"topology.kubernetes.io/zone": zone} if zone else {}
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": {"podCIDR": cidr},
        "status": {"addresses": addresses},
    }


def _pod(name: str, ip: str, node: str, labels: dict[str, str]) -> Document:
    namespace, pod = _split(name)
    ports = []
    for key in [key for key in labels if key.startswith("port:")]:
        number, _, protocol = labels.pop(key).partition("/")
        port = {"name": key.removeprefix("port:"), "containerPort": int(number)}
        ports.append({**port, "protocol": protocol or "TCP"})
    return {
        "kind": "Pod",
        "metadata": {"namespace": namespace, "name": pod, "uid": name, "labels": labels},
        "spec": {"nodeName": node, "containers": [{"ports": ports}]},
        "status": {"phase": "Running", "podIP": ip},
    }


def _line(step: Step) -> str:
    """A step as one line: stage, what was translated, why."""
    before, after = step.before, step.after
    translated = ""
    if before.destination != after.destination:
        translated = f"{before.destination} -> {after.destination}  "
    if before.source != after.source:
        translated = f"from {before.source} -> {after.source}  "
    return f"{step.stage:<10} {translated}{step.reason}"


def _verdict(verdict: object) -> str:
    match verdict:
        case Deliver(pod):
            return f"delivered to {pod} on {pod.node}"
        case Drop(code, _):
            return f"dropped {code}"
        case Reject(code, _):
            return f"refused {code}"
        case _:
            return str(verdict)


@dataclass
class Command:
    """One command of a transcript: its line, the indented block below it, what is expected."""

    number: int
    line: str
    block: list[str] = field(default_factory=list)
    expected: list[str] | None = None


def commands(text: str) -> Iterator[Command]:
    current: Command | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if current is not None and current.expected is not None:
                yield current
                current = None
        elif line == "----":
            assert current is not None, f"line {number}: nothing is expected of nothing"
            current.expected = []
        elif current is not None and current.expected is not None:
            current.expected.append(line)
        elif line.startswith(" "):
            assert current is not None, f"line {number}: a block needs a command"
            current.block.append(line)
        else:
            if current is not None:
                yield current
            current = Command(number, line)
    if current is not None:
        yield current


TRANSCRIPTS = sorted(HERE.glob("*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_every_decision_is_the_one_written_down(path: Path) -> None:
    cluster, connections = Cluster(), 0
    for command in commands(path.read_text()):
        said = cluster.do(shlex.split(command.line), "\n".join(command.block))
        connections += said is not None
        assert said == command.expected, f"{path.name}:{command.number}: {command.line}"
    assert connections, f"{path.name} connects nothing"


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) >= 8


def _fill_in(path: Path) -> str:
    """The transcript with what is decided now, for whoever writes a new one."""
    cluster, lines, skipping = Cluster(), list[str](), False
    found = {command.number: command for command in commands(path.read_text())}
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        skipping = skipping and bool(line.strip())
        if not skipping:
            lines.append(line)
        if number in found:
            command = found[number]
            said = cluster.do(shlex.split(command.line), "\n".join(command.block))
            if said is not None:
                lines += ["----", *said]
                skipping = True
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(_fill_in(Path(sys.argv[1])))
