"""The cloud's load balancer.

By hand: python -m cluster.gateway --api unix:RUN/control.sock --run-dir RUN \\
             --cluster-key RUN/cluster.key
"""

from collections.abc import Sequence

from cluster.aio.process import run
from cluster.gateway.config import GatewayConfig
from cluster.gateway.serve import serve

parse = GatewayConfig.parse  # what can be done before a process is forked


def main(arguments: Sequence[str] | None = None, config: GatewayConfig | None = None) -> int:
    """Run the gateway to its end; the exit status. `config`, if `parse` has read the arguments."""
    return run(parse, serve, arguments, config=config)


if __name__ == "__main__":
    raise SystemExit(main())
