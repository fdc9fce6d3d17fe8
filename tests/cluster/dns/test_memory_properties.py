"""What is remembered is what would be answered with care, byte for byte but for the id."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.dns.memory import AnswerMemory
from cluster.dns.response import respond
from cluster.dns.zone import Change, Zone, ZoneSettings
from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES
from cluster.wire.dns import Edns, Message, Question, decode, encode
from tests.cluster.dns.conftest import Make

MAKE = Make()
NAMES = ("a", "b", "c")
NAMESPACES_USED = ("ns", "other")
IPS = [f"10.244.0.{number}" for number in range(6)]
CLUSTER_IPS = [f"10.96.0.{number}" for number in range(3)] + ["fd00::1"]

services = st.one_of(
    st.lists(st.sampled_from(CLUSTER_IPS), min_size=1, max_size=2, unique=True).flatmap(
        lambda ips: st.builds(lambda name: MAKE.service(name, *ips), st.sampled_from(NAMES))
    ),
    st.sampled_from(NAMES).map(MAKE.headless),
    st.builds(
        MAKE.alias,
        st.sampled_from(NAMES),
        st.sampled_from(["a.ns.svc.cluster.local", "b.ns.svc.cluster.local", "example.com"]),
    ),
)
slices = st.builds(
    lambda name, ips, many: MAKE.slice(name, *(ips + many)),
    st.sampled_from(NAMES),
    st.lists(st.sampled_from(IPS), max_size=4, unique=True),
    st.sampled_from([[], [f"10.245.0.{number}" for number in range(60)]]),
)
pods = st.builds(MAKE.pod, st.sampled_from(NAMES), st.sampled_from(IPS))
namespaces = st.sampled_from(NAMESPACES_USED).map(MAKE.namespace)
OBJECTS = {SERVICES: services, ENDPOINT_SLICES: slices, PODS: pods, NAMESPACES: namespaces}
events = st.sampled_from(list(OBJECTS)).flatmap(
    lambda resource: st.tuples(st.just(resource), OBJECTS[resource], st.booleans())
)

forms = st.sampled_from(["{}.ns.svc", "{}.other.svc", "x.{}.ns.svc"])
names = st.one_of(
    st.builds(
        lambda form, name: form.format(name) + ".cluster.local", forms, st.sampled_from(NAMES)
    ),
    st.sampled_from(
        [
            "_http._tcp.a.ns.svc.cluster.local",
            "10-244-0-1.b.ns.svc.cluster.local",
            "10-244-0-2.ns.pod.cluster.local",
            "1.0.244.10.in-addr.arpa",
            "1.0.96.10.in-addr.arpa",
            "cluster.local",
            "ns.svc.cluster.local",
            "ns.dns.cluster.local",
            "dns-version.cluster.local",
            "example.com",
            "",
        ]
    ),
)
spellings = st.sampled_from([str.lower, str.upper, str.title])
options = st.lists(st.tuples(st.integers(0, 0xFFFF), st.binary(max_size=12)), max_size=2).map(tuple)
edns = st.one_of(
    st.none(),
    st.builds(
        Edns,
        udp_bytes=st.sampled_from([0, 512, 700, 1232, 4096, 65535]),
        version=st.sampled_from([0, 0, 0, 1]),
        dnssec_ok=st.booleans(),
        options=options,
    ),
)
questions = st.builds(
    lambda name, spell, type_, rr_class: Question(spell(name), type_, rr_class),
    names,
    spellings,
    st.sampled_from([1, 28, 33, 12, 5, 16, 6, 2, 255, 252, 999]),
    st.sampled_from([1, 1, 1, 1, 3]),
)
messages = st.builds(
    Message,
    id=st.integers(0, 0xFFFF),
    response=st.sampled_from([False] * 9 + [True]),
    opcode=st.sampled_from([0] * 9 + [2, 4]),
    recursion_desired=st.booleans(),
    checking_disabled=st.booleans(),
    authentic=st.booleans(),
    questions=st.lists(questions, min_size=1, max_size=1).map(tuple)
    | st.lists(questions, max_size=2).map(tuple),
    edns=edns,
).map(encode)


@st.composite
def damaged(draw: Any) -> bytes:
    """A query with a few bytes changed, cut or added."""
    raw = bytearray(draw(messages))
    for _ in range(draw(st.integers(1, 3))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    end = draw(st.integers(0, len(raw)))
    return bytes(raw[:end] if draw(st.booleans()) else raw) + draw(st.binary(max_size=3))


queries = st.one_of(messages, messages, messages, damaged(), st.binary(max_size=60))


def zone_of(**more: Any) -> Zone:
    return Zone.build(
        namespaces=[MAKE.namespace("ns")],
        services=[MAKE.service("a", "10.96.0.1"), MAKE.headless("b")],
        endpoint_slices=[MAKE.slice("b", *IPS[:3])],
        settings=ZoneSettings(**more),
    )


class Cluster:
    """A zone, and the objects that a change replaces."""

    def __init__(self, **more: Any) -> None:
        self.zone = zone_of(**more)
        self._objects: dict[Any, Any] = {}

    def change(self, resource: Any, document: Any, goes: bool) -> None:
        metadata = document["metadata"]
        key = (resource.plural, metadata.get("namespace"), metadata["name"])
        before = self._objects.get(key)
        if goes:
            self._objects.pop(key, None)
        else:
            self._objects[key] = document
        change: Change = (resource, before, None if goes else document)
        self.zone = self.zone.with_changes([change])


def with_care(query: bytes, zone: Zone, *, udp: bool) -> bytes | None:
    response = respond(query, zone, udp=udp)
    return None if response is None else encode(response.message, response.bytes_max)


def same(answered: bytes | None, zone: Zone, query: bytes, *, udp: bool) -> bool:
    """Whether it is the careful answer, or that one in another order of its addresses."""
    expected = with_care(query, zone, udp=udp)
    if answered == expected or answered is None or expected is None:
        return answered == expected
    response = respond(query, zone, udp=udp)
    assert response is not None
    if not response.shuffles:
        return False
    one, other, whole = decode(answered), decode(expected), set(response.message.answers)
    fits = len(answered) <= response.bytes_max and set(one.answers) <= whole
    whole_sets = one.truncated or set(one.answers) == set(other.answers)
    return fits and whole_sets and _bare(answered) == _bare(expected)


def _bare(raw: bytes) -> tuple[Any, ...]:
    message = decode(raw)
    return (
        len(raw),
        raw[:12],
        message.questions,
        message.authority,
        message.additional,
        message.edns,
    )


@settings(max_examples=150, deadline=None)
@given(
    asked=st.lists(queries, min_size=1, max_size=8),
    steps=st.lists(st.lists(events, max_size=3), min_size=1, max_size=5),
    outside_empty=st.booleans(),
    verified=st.booleans(),
)
def test_what_is_remembered_is_what_would_be_answered(
    asked: list[bytes], steps: list[list[Any]], outside_empty: bool, verified: bool
) -> None:
    """D-23, D-93 to D-102: before and after any changes, for datagrams and streams."""
    mode = "verified" if verified else "insecure"
    cluster = Cluster(outside_empty=outside_empty, pods=mode)
    datagrams = AnswerMemory(Random(1), udp=True)
    streams = AnswerMemory(Random(1), udp=False, shared=datagrams)
    for step in steps:
        for query in [*asked, *asked]:
            for memory, udp in ((datagrams, True), (streams, False)):
                reply = memory.reply(query, cluster.zone)
                assert same(reply.raw if reply else None, cluster.zone, query, udp=udp)
            hit = datagrams.hit(query[2:])
            if hit is not None:
                assert same(query[:2] + hit.rest, cluster.zone, query, udp=True)
        for event in step:
            cluster.change(*event)
