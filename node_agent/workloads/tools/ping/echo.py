"""Whether an address answers: there is no ICMP here, so a connection is made that nobody takes.

It goes to port 0, on which nothing can listen and which no policy names, by the way that every
connection of the pod takes: Service, policy, route, the other node's process. Its refusal by the
target is the answer; silence is silence. So the time is that of a real round trip, and `kubehop
trace` shows the attempt. A ClusterIP is no host and stays silent, as under kube-proxy's rules.
"""

import asyncio
import time

from cluster.aio.streams import close
from cluster.dataclass import dataclass
from cluster.dataplane.decision import Code
from cluster.wire.addresses import SocketAddress
from cluster.wire.flow import FlowKind
from node_agent.cni.pod_context import POD

PORT = 0


@dataclass(frozen=True, slots=True)
class Echo:
    """An answer: after how long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """None: the address leads nowhere, or nobody answered in time (`reason` is "")."""

    reason: str = ""


async def echo(ip: str, wait: float) -> Echo | Lost:
    """Try one address for `wait` seconds at most."""
    network = POD.get()
    assert network is not None, "tools run in a pod"
    began = time.monotonic()
    try:
        async with asyncio.timeout(wait):
            sock, _ = await network.open(SocketAddress(ip, PORT), kind=FlowKind.TRAFFIC)
        close(sock)
    except ConnectionRefusedError as error:
        if getattr(error, "code", Code.PORT_CLOSED) != Code.PORT_CLOSED:
            return Lost()
    except TimeoutError:
        return Lost()
    except OSError as error:
        return Lost(error.strerror or str(error))
    return Echo(time.monotonic() - began)
