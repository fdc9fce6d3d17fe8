"""The cluster's DNS as seen from the host.

By hand: python -m cluster.dns --api unix:RUN/control.sock --run-dir RUN --bind 127.64.0.254:10053
"""

from collections.abc import Sequence

from cluster.aio.process import run
from cluster.dns.config import DnsConfig
from cluster.dns.serve import serve

parse = DnsConfig.parse  # what can be done before a process is forked


def main(arguments: Sequence[str] | None = None, config: DnsConfig | None = None) -> int:
    """Run the DNS to its end; the exit status. `config`, if `parse` has read the arguments."""
    return run(parse, serve, arguments, config=config)


if __name__ == "__main__":
    raise SystemExit(main())
