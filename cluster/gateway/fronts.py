"""The fronts there are, kept equal to the fronts there shall be, and what people hear of them."""

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from cluster.aio.datagrams import DatagramEndpoint
from cluster.aio.listener import Turn, nothing
from cluster.gateway.balancer import FrontPlan, FrontState, Place
from cluster.gateway.front import Front, OnConnection, OnDatagrams
from cluster.objects.meta import Key
from cluster.wire.addresses import SocketAddress

log = logging.getLogger(__name__)

RETRY_SECONDS = 5.0  # for a port that somebody else holds
NORMAL, WARNING = "Normal", "Warning"


class Tell(Protocol):
    """Writes an Event about the Service behind a front."""

    def __call__(self, plan: FrontPlan, kind: str, reason: str, message: str) -> None: ...


class Fronts:
    """Every front of this load balancer.

    `published` says where something in between, such as a container engine, offers a port; `around`
    is called before and after connections that are accepted together.
    """

    def __init__(
        self,
        bind: str | None,
        on_connection: OnConnection,
        on_datagrams: OnDatagrams,
        tell: Tell,
        *,
        published: Mapping[str, SocketAddress] | None = None,
        around: tuple[Turn, Turn] = (nothing, nothing),
    ) -> None:
        self._bind = bind
        self._published = published or {}
        self._on_connection = on_connection
        self._on_datagrams = on_datagrams
        self._around = around
        self._tell = tell
        self._fronts: dict[Place, Front] = {}
        self._lost_before = 0
        self._paused: set[Place] = set()

    @property
    def datagrams_lost(self) -> int:
        """How many datagrams the sockets of fronts lost."""
        return self._lost_before + sum(each.datagrams_lost for each in self._fronts.values())

    def apply(self, plans: Mapping[Place, FrontPlan]) -> None:
        """Open, close and silence fronts until they are what the plans say."""
        for place in self._fronts.keys() - plans.keys():
            log.info("front closed place=%s reason=its Service port is gone", place)
            gone = self._fronts.pop(place)
            gone.close()
            self._lost_before += gone.datagrams_lost
        for place, plan in plans.items():
            front = self._fronts.get(place)
            if front is None:
                on_connection, on_datagrams = self._on_connection, self._on_datagrams
                front = Front(plan, self._bind, on_connection, on_datagrams, self._around)
                self._fronts[place] = front
                self._follow(front, plan, before=None)
            elif front.plan != plan or front.problem:
                self._follow(front, plan, before=front.plan.state)

    def pause(self, plan: FrontPlan) -> None:
        """Let the clients of a front wait in the kernel's queue, until `resume`."""
        front = self._fronts.get(plan.place)
        if front is not None:
            self._paused.add(plan.place)
            front.pause()

    def resume(self) -> None:
        """Accept again wherever that was paused."""
        for place in self._paused:
            front = self._fronts.get(place)
            if front is not None:
                front.resume()
        self._paused.clear()

    def retry(self) -> None:
        """Try again what could not be bound."""
        for front in self._fronts.values():
            if front.problem:
                self._follow(front, front.plan, before=front.plan.state)

    def _follow(self, front: Front, plan: FrontPlan, before: FrontState | None) -> None:
        problem, moved = front.problem, front.moved
        front.follow(plan)
        if plan.state is not before:
            log.info(
                "front %s place=%s real=%s service=%s/%s reason=%s",
                plan.state,
                plan.place,
                front.real,
                *plan.service,
                plan.reason or "a node may be sent to",
            )
        if plan.state is FrontState.SILENT and before is not FrontState.SILENT:
            self._tell(plan, WARNING, "NoHealthyNode", f"{plan.place.name}: {plan.reason}")
        if front.moved and front.moved != moved:
            text = f"{plan.place.name} is served at {front.dialable}: {front.moved}"
            self._tell(plan, NORMAL, "LoadBalancerPortMoved", text)
        if front.problem and front.problem != problem:
            text = (
                f"{plan.place.name} is not served: {front.problem}; "
                f"trying again every {RETRY_SECONDS:g} s"
            )
            log.warning("front not served place=%s problem=%s", plan.place, front.problem)
            self._tell(plan, WARNING, "LoadBalancerPortUnavailable", text)

    def real_addresses(self) -> dict[Key, str]:
        """Of Services that are not, or not only, at their own addresses: where, as JSON."""
        found: dict[Key, dict[str, str]] = {}
        for place, front in self._fronts.items():
            dialable = self._dialable(place, front)
            if dialable is not None and dialable != place.address:
                found.setdefault(front.plan.service, {})[place.name] = str(dialable)
        return {key: json.dumps(ports, sort_keys=True) for key, ports in found.items()}

    def find(self, address: SocketAddress, protocol: str) -> FrontPlan | None:
        """The plan of the front at an address, its Service's or the real one."""
        front = self._find(address, protocol)
        return front.plan if front is not None else None

    def problem(self, address: SocketAddress, protocol: str) -> str:
        """Why the front at an address is not served; "" if it is, or is none."""
        front = self._find(address, protocol)
        return front.problem if front is not None else ""

    def _find(self, address: SocketAddress, protocol: str) -> Front | None:
        for place, front in self._fronts.items():
            known = place.address, front.dialable, self._published.get(place.name)
            if place.protocol == protocol and address in known:
                return front
        return None

    def _dialable(self, place: Place, front: Front) -> SocketAddress | None:
        """Where people reach a front; None while it is not served."""
        return (front.real and self._published.get(place.name)) or front.dialable

    def endpoint_of(self, place: Place) -> DatagramEndpoint | None:
        """The UDP socket of a front."""
        front = self._fronts.get(place)
        return front.endpoint if front is not None else None

    def listing(self) -> Iterator[dict[str, Any]]:
        """Every front, for people and `status`."""
        for place, front in sorted(self._fronts.items(), key=lambda item: str(item[0])):
            plan = front.plan
            dialable = self._dialable(place, front)
            yield {
                "service": f"{plan.service[0]}/{plan.service[1]}",
                "port": place.name,
                "address": str(place.address),
                "realAddress": str(dialable) if dialable else None,
                "state": str(plan.state),
                "reason": plan.reason,
                "moved": front.moved,
                "problem": front.problem,
                "nodes": [node.name for node in plan.nodes],
            }

    def states(self) -> dict[str, int]:
        """How many fronts are in each state; "failed" are those that cannot be bound."""
        counted = dict.fromkeys([*map(str, FrontState), "failed"], 0)
        for front in self._fronts.values():
            counted["failed" if front.problem else str(front.plan.state)] += 1
        return counted

    def __len__(self) -> int:
        return len(self._fronts)

    def close(self) -> None:
        """Close every front."""
        for front in self._fronts.values():
            front.close()
        self._fronts.clear()
