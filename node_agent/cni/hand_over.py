"""Sockets that change hands between the processes of one machine, as one node sees it.

    gateway, nodes  --server-->  Arrivals.taken  --handoff-->  other nodes
                    <--ended---                  <--ended---

A node that has more waiting for it than it should takes no sockets in until that is over, and so on
back to the process whose clients wait in the kernel's queue. The death of a process is passed on to
whomever its flows may have gone, and acted out on those that ended here.
"""

import logging
import socket
from collections.abc import Sequence
from pathlib import Path

from cluster.aio.handoff import Handoff, new_instance, place
from cluster.aio.handoff_server import HandoffServer
from cluster.aio.streams import reset
from cluster.aio.tasks import Tasks
from cluster.wire.handover import Ended, Handed
from node_agent.cni.arrivals import Arrivals
from node_agent.cni.established import Established, Passed

log = logging.getLogger(__name__)

CARRIED_MAX = 16_384  # handed-over connections that this node relays or keeps silent at a time


class HandOver:
    """Implements `arrivals.Onward`; `start` begins to take sockets in."""

    def __init__(self, run_dir: Path, name: str, tasks: Tasks) -> None:
        self.instance = new_instance(name)
        self.turned_away = 0
        self._place = place(run_dir, name)
        self._tasks = tasks
        self._handoff = Handoff(
            run_dir,
            self.instance,
            undelivered=self._given_back,
            ended=self._ended,
            relieved=self._relieved,
        )
        self._server: HandoffServer | None = None
        self._arrivals: Arrivals | None = None
        self._established: Established | None = None

    def start(self, arrivals: Arrivals, established: Established) -> None:
        """Take sockets in; a machine that cannot do that relays."""
        self._arrivals, self._established = arrivals, established
        try:
            self._server = HandoffServer(
                self._place,
                taken=self._taken,
                lost=self._lost,
                met=self._established.met,
                before=self.gather,
                after=self.flush,
            )
        except OSError as error:
            log.warning("no sockets are handed over: %s: %s", self._place, error.strerror)
            return
        self._server.start()

    def give(self, name: str, sock: socket.socket, handed: Handed) -> bool:
        """Hand a socket to a node; False, and it stays the caller's, if nobody takes it there."""
        given = self._handoff.give(name, sock, handed)
        if given and self._server is not None and self._handoff.congested(name):
            self._server.pause()
        return given

    def gather(self) -> None:
        """Let what is given from now on wait for `flush`, to leave together."""
        self._handoff.gather()

    def flush(self) -> None:
        """Send what was gathered."""
        self._handoff.flush()

    def tell_ended(self, at: float, passed: Passed, flow_ids: Sequence[str]) -> None:
        """Tell the processes that handed flows to this one that they ended."""
        if self._server is not None:
            self._server.tell_ended(at, passed, flow_ids)

    def counts(self) -> dict[str, int]:
        """For /metrics (`node_agent.cni.metrics`)."""
        server = self._server
        return {
            "handed_over_total": self._handoff.given,
            "hand_over_waiting": self._handoff.waiting,
            "hand_over_void_total": server.void if server is not None else 0,
            "hand_over_unsaid_total": server.unsaid if server is not None else 0,
            "connections_reset_total": self.turned_away,
        }

    def close(self) -> None:
        """Take and give no more."""
        if self._server is not None:
            self._server.close()
        self._handoff.close()

    def _taken(self, sock: socket.socket, handed: Handed) -> None:
        assert self._arrivals is not None and self._established is not None
        rest = self._arrivals.taken(sock, handed)
        if rest is None:
            return
        if len(self._tasks) >= CARRIED_MAX:
            self.turned_away += 1
            rest.close()
            reset(sock)
            return
        task = self._tasks.start(rest, name=f"flow {handed.context.flow_id}")
        self._established.carried(task, handed.passed)

    def _given_back(self, name: str, left: list[tuple[socket.socket, Handed]]) -> None:
        assert self._arrivals is not None and self._established is not None
        for sock, handed in left:
            work = self._arrivals.given_back(name, sock, handed)
            task = self._tasks.start(work, name=f"flow {handed.context.flow_id}")
            self._established.carried(task, handed.passed)

    def _relieved(self) -> None:
        if self._server is not None and not self._handoff.any_congested:
            self._server.resume()

    def _ended(self, ended: Ended) -> None:
        """News from a node that flows were handed to; the process before hears of it too."""
        assert self._established is not None
        self._established.ended_elsewhere(ended.flow_ids, ended.at)
        before = ended.passed[:-1]
        if before:
            self.tell_ended(ended.at, before, ended.flow_ids)

    def _lost(self, instances: Sequence[str]) -> None:
        assert self._established is not None
        news = self._established.news(instances)
        if not news:
            return
        ended = self._established.died(news)
        log.info("processes gone instances=%s connections_reset=%d", ",".join(news), ended)
        self._handoff.tell_died(news)
