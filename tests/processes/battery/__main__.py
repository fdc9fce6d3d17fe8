"""Prints a session as it goes on a cluster of its own: `python -m tests.processes.battery FILE`."""

import argparse
import tempfile
from pathlib import Path

from tests.processes.battery.cluster import up
from tests.processes.battery.session import filled, marked, parse
from tests.processes.battery.shell import Shell
from tests.processes.battery.test_battery import versions
from tests.processes.conftest import kubectls


def main() -> None:
    """Run each file's commands; show what they print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--kubectl", default="", metavar="1.37", help="default: the newest")
    given = parser.parse_args()
    found = [each.parent for each in kubectls() if each.parent.name.endswith(given.kubectl)]
    if not found:
        parser.error("no such kubectl: set KUBEHOP_KUBECTL_DIR (see .ci/install-kubectl)")
    with up() as cluster:
        for number, file in enumerate(given.files):
            namespace = f"{file.stem.replace('_', '-')}-{number}"
            cluster.make_namespace(namespace)
            with tempfile.TemporaryDirectory() as directory:
                kubeconfig = cluster.kubeconfig_for(namespace)
                shell = Shell(found[-1], kubeconfig, Path(directory) / "home", namespace)
                try:
                    text = file.read_text()
                    steps = parse(text, versions(found[-1]))
                    ran = {each.line: shell.run(each.command) for each in steps}
                    told = {line: (marked(out, namespace), end) for line, (out, end) in ran.items()}
                    print(filled(text, told), end="")
                finally:
                    shell.close()


if __name__ == "__main__":
    main()
