"""The recorder of one process: what it decided on each flow, in bounded rings, and who asks for it.

    ring        holds                                        so that
    dns         queries to and answers of the DNS            a resolver's search does not push out
    probes      the kubelet's probes                         traffic, nor do probes,
    delivered   flows that were delivered or passed on       nor a busy application
    refused     refused and dropped flows, and failed DNS    what failed is kept longest

Recording costs microseconds and never waits: what is kept is a draft, written out when it is read,
and a full ring forgets its oldest and counts it in `lost`. Whoever decides faster than that keeps
notes of its own and writes them as segments when somebody looks (`before_reading`), or at once
while somebody follows. A follower that reads too slowly loses the oldest, and is told how many
(O-49).
A flow is found by its id at once; any other query looks through the rings, newest first.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import fields
from itertools import islice
from typing import Any

from cluster.aio.clock import Clock
from cluster.dataplane.decision import Step
from cluster.errors import PoolExhausted
from cluster.trace.draft import Draft, Whole
from cluster.trace.follower import Follower
from cluster.trace.query import Query
from cluster.trace.record import Hop, Outcome, Segment
from cluster.trace.rings import DELIVERED, DNS, PROBES, REFUSED, Rings

DNS_MAX = 2048
PROBES_MAX = 512
DELIVERED_MAX = 2048
REFUSED_MAX = 4096
FOLLOWERS_MAX = 64

_FIELDS = frozenset(each.name for each in fields(Segment))


class Recorder:
    """Keeps the segments of one process; not for other threads than the event loop's."""

    def __init__(
        self,
        process: str,
        clock: Clock,
        *,
        dns_max: int = DNS_MAX,
        probes_max: int = PROBES_MAX,
        delivered_max: int = DELIVERED_MAX,
        refused_max: int = REFUSED_MAX,
    ) -> None:
        self.process = process
        self.clock = clock
        self._rings = Rings(
            {DNS: dns_max, PROBES: probes_max, DELIVERED: delivered_max, REFUSED: refused_max}
        )
        self._followers: set[Follower] = set()
        self.following: Collection[Follower] = self._followers  # for who asks for every packet
        self._late: list[Callable[[], None]] = []

    def before_reading(self, write: Callable[[], None]) -> Callable[[], None]:
        """Let `write` record what it has noted before anybody reads; call what is returned to end.

        How many segments it has noted and forgotten itself, it tells by `forgot`.
        """
        self._late.append(write)
        return lambda: self._late.remove(write)

    def forgot(self, ring: str, segments: int) -> None:
        """Count segments that were noted, and forgotten before anybody read them."""
        self._rings.rings[ring].lost += segments
        self._rings.serial += segments

    def record(self, segment: Segment) -> None:
        """Keep a segment; a flow may have several in one process, told apart by their hops."""
        self.keep(Whole(segment))

    def keep(self, draft: Draft) -> None:
        """Keep a record that is written out when it is read."""
        self._rings.put(draft)
        if self._followers:
            self._offer(draft)

    def update(self, flow_id: str, *, opener: bool = False, **fields: Any) -> bool:
        """Replace fields of a flow's newest segment; False if that is forgotten already.

        `opener`: of the segment in which the flow began, which its program's own side tells of.
        """
        rings = self._rings
        draft = rings.opener(flow_id) if opener else rings.newest(flow_id)
        if draft is None:
            return False
        self._learn(draft, fields)
        return True

    def update_many(self, flow_ids: Iterable[str], **fields: Any) -> None:
        """The same news of many flows, such as that they have ended."""
        newest, learn = self._rings.newest, self._learn
        for flow_id in flow_ids:
            draft = newest(flow_id)
            if draft is not None:
                learn(draft, fields)

    def end(self, flow_id: str, step: Step, outcome: Outcome, **fields: Any) -> bool:
        """Add to a flow's newest segment the hop that ended it after it was decided (O-11)."""
        draft = self._rings.newest(flow_id)
        if draft is None:
            return False
        hops = draft.segment().hops
        number = hops[-1].number + 1 if hops else 0
        ended: dict[str, Any] = {
            "hops": (*hops, Hop(number, self.process, step, self.clock.now())),
            "outcome": outcome,
            "code": step.code,
            "reason": step.reason,
            "next_process": "",
        }
        self._learn(draft, ended | fields)
        return True

    def _learn(self, draft: Draft, news: dict[str, Any]) -> None:
        assert news.keys() <= _FIELDS, f"{news.keys() - _FIELDS} is nothing of a segment's"
        draft.known = {**draft.known, **news} if draft.known else news
        if "outcome" in news or "code" in news:
            draft.outcome = draft.known.get("outcome", draft.outcome)
            draft.code = draft.known.get("code", draft.code)
            self._rings.place(draft)
        if self._followers:
            self._offer(draft)

    def _offer(self, draft: Draft) -> None:
        for follower in self._followers:
            follower.offer(draft)

    def find(self, query: Query) -> list[Segment]:
        """The newest segments that match, newest last."""
        return [draft.segment() for draft in self._found(query)]

    async def wait_for(self, query: Query, seconds: float) -> list[Segment]:
        """As `find`, as soon as something matches and is complete, at most after some seconds."""
        if seconds > 0 and not self._complete(query):
            with self.follow(query) as follower:
                try:
                    async with asyncio.timeout(seconds):
                        while await follower.skip() and not self._complete(query):
                            pass
                except TimeoutError:
                    pass  # what there is, is the answer
        return self.find(query)

    def follow(self, query: Query) -> Follower:
        """Segments that match from now on, again whenever they are updated.

        `with recorder.follow(query) as follower: async for segment in follower: ...`
        """
        if len(self._followers) >= FOLLOWERS_MAX:
            raise PoolExhausted(
                f"{self.process} has {FOLLOWERS_MAX} followers already: end one of them"
            )
        return Follower(query, self._followers)

    def close(self) -> None:
        """End every follower: their readers come to their end."""
        for follower in list(self._followers):
            follower.close()

    @property
    def followers(self) -> int:
        """How many follow."""
        return len(self._followers)

    @property
    def lost(self) -> dict[str, int]:
        """How many segments each ring has forgotten."""
        self._write_late()
        return {name: ring.lost for name, ring in self._rings.rings.items()}

    @property
    def held(self) -> dict[str, int]:
        """How many segments each ring holds."""
        self._write_late()
        return {name: len(ring.drafts) for name, ring in self._rings.rings.items()}

    @property
    def recorded(self) -> int:
        """How many segments were ever kept; one that moved to another ring counts again."""
        self._write_late()
        return self._rings.serial

    def _write_late(self) -> None:
        for write in self._late:
            write()

    def _found(self, query: Query) -> list[Draft]:
        self._write_late()
        found = list(islice(filter(query.matches, self._candidates(query)), query.limit))
        found.reverse()
        return found

    def _candidates(self, query: Query) -> Iterator[Draft]:
        """Newest first."""
        rings = self._rings
        return rings.newest_first() if query.id is None else rings.of(query.id)

    def _complete(self, query: Query) -> bool:
        found = self._found(query)
        return bool(found) and all(draft.complete for draft in found)
