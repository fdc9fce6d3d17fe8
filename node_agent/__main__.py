"""One emulated node: kubelet, CNI router and kube-proxy in one process.

By hand: python -m node_agent --name node-1 --bind 127.64.0.1 --internal-ip 172.30.0.1 \\
             --api unix:RUN/control.sock --run-dir RUN --cluster-key RUN/cluster.key
"""

from collections.abc import Sequence

from cluster.aio.process import run
from node_agent.agent import serve
from node_agent.config import AgentConfig
from node_agent.loop import NodeLoop

parse = AgentConfig.parse  # what can be done before a process is forked


def main(arguments: Sequence[str] | None = None, config: AgentConfig | None = None) -> int:
    """Run a node to its end; the exit status. `config`, if `parse` has read the arguments."""
    return run(parse, serve, arguments, config=config, loop_factory=NodeLoop)


if __name__ == "__main__":
    raise SystemExit(main())
