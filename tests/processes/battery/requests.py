"""What each kubectl asks of the API in each session: `python -m tests.processes.battery.requests`.

Writes `requests/VERSION.txt`, one line for each kind of request of a session. A new version of a
client is understood by the difference between its file and the one before.
"""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.processes.battery.cluster import BatteryCluster, up
from tests.processes.battery.session import parse
from tests.processes.battery.shell import Shell
from tests.processes.battery.test_battery import SESSIONS, versions
from tests.processes.conftest import kubectls

KEPT = Path(__file__).parent / "requests"
ANY = {"resourceVersion", "fieldSelector", "labelSelector", "timeoutSeconds", "timeout", "continue"}


def main() -> None:
    """Run every session with every kubectl; write down what they asked."""
    KEPT.mkdir(exist_ok=True)
    with up(audit=True) as cluster:
        for tools in (path.parent for path in kubectls()):
            lines: list[str] = []
            for session in SESSIONS:
                lines += ["", f"# {session.stem}", *_asked(cluster, tools, session)]
            (KEPT / f"{tools.name}.txt").write_text("\n".join(lines[1:]) + "\n")
            print(KEPT / f"{tools.name}.txt")


def _asked(cluster: BatteryCluster, tools: Path, session: Path) -> list[str]:
    namespace = f"{session.stem.replace('_', '-')}-{tools.name.replace('.', '-')}"
    cluster.make_namespace(namespace)
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory) / "home"
        shell = Shell(tools, cluster.kubeconfig_for(namespace), home, namespace)
        try:
            for step in parse(session.read_text(), versions(tools)):
                shell.run(step.command)
        finally:
            shell.close()
    found = described(cluster.requests(namespace))
    cluster.drop_namespace(namespace)
    return found


def described(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """The kinds of requests among the lines of an audit log, each once, in order."""
    return sorted({_kind(line) for line in lines})


def _kind(line: Mapping[str, Any]) -> str:
    """Verb, resource, options, media types: what does not depend on names and moments."""
    about = line.get("objectRef", {})
    parts = [about.get(key, "") for key in ("apiGroup", "resource", "subresource")]
    resource = "/".join(part for part in parts if part)
    pairs = parse_qsl(urlsplit(line["requestURI"]).query, keep_blank_values=True)
    options = sorted({f"{key}=*" if key in ANY else f"{key}={value}" for key, value in pairs})
    media = line.get("annotations", {})
    sent = media.get("kubehop.dev/content-type", "-")
    wanted = media.get("kubehop.dev/accept", "-")
    words = [line["verb"], resource, "&".join(options) or "-", f"sends {sent}", f"reads {wanted}"]
    return "  ".join(words)


if __name__ == "__main__":
    main()
