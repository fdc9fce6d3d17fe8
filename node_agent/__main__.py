"""One emulated node: kubelet, CNI router and kube-proxy in one process.

By hand: python -m node_agent --name node-1 --bind 127.64.0.1 --internal-ip 172.30.0.1 \\
             --api unix:RUN/control.sock --run-dir RUN --cluster-key RUN/cluster.key
"""

from collections.abc import Sequence

from cluster.aio.process import run
from node_agent.agent import serve
from node_agent.config import AgentConfig
from node_agent.loop import NodeLoop


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a node to its end; the exit status."""
    return run(AgentConfig.parse, serve, arguments, loop_factory=NodeLoop)


if __name__ == "__main__":
    raise SystemExit(main())
