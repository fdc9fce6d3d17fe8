"""The launcher of one cluster: `python -m cluster.launcher --spec JSON --report-fd N [--detach]`.

Started by `cluster.launcher.launch`. It imports what all need, forks the zygote, and only then
has a loop.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence

from cluster.errors import ClusterError
from cluster.launcher.spec import ClusterSpec
from cluster.launcher.zygote import fork_zygote, import_shared


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a cluster to its end; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m cluster.launcher")
    parser.add_argument("--spec", required=True, help="what to start, as JSON")
    parser.add_argument("--report-fd", type=int, required=True, help="progress goes here")
    parser.add_argument("--detach", action="store_true", help="log to a file, not to stderr")
    options = parser.parse_args(arguments)
    os.set_inheritable(options.report_fd, False)
    try:
        spec = ClusterSpec.from_json(options.spec)
        if options.detach:
            _log_to_file(spec)
        import_shared()
        zygote, _ = fork_zygote(spec.name, [options.report_fd])
        from cluster.launcher import daemon  # while the zygote imports what its children need
    except ClusterError as error:
        report = json.dumps({"failed": str(error), "misused": True})
        os.write(options.report_fd, report.encode() + b"\n")
        return 1
    return daemon.run(spec, zygote, options.report_fd)


def _log_to_file(spec: ClusterSpec) -> None:
    """Standard error of launcher, zygote and children: one file, which tracebacks reach too."""
    from cluster.launcher.places import Places

    places = Places.of(spec.name)
    places.make()
    descriptor = os.open(
        places.logs / "launcher.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600
    )
    for number in (1, 2):
        os.dup2(descriptor, number)
    os.close(descriptor)
    sys.stderr.reconfigure(line_buffering=True)  # type: ignore[union-attr]


if __name__ == "__main__":
    raise SystemExit(main())
