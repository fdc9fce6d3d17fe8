"""Bodies in protobuf are the documents that JSON would have been."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.resources.kinds import Kind, kinds
from control.resources.protobuf.decode import DEPTH_MAX, decode_envelope
from control.resources.protobuf.messages import Message, message_of, named
from control.resources.protobuf.wire import Malformed
from tests.control.resources.protobuf.encoding import envelope, length

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"app": "web"}, "creationTimestamp": None},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}, "creationTimestamp": "2026-01-01T12:00:00Z"},
            "spec": {
                "containers": [
                    {
                        "name": "web",
                        "image": "echo",
                        "ports": [{"containerPort": 8080}],
                        "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}},
                        "readinessProbe": {"httpGet": {"path": "/", "port": "http"}},
                    }
                ],
                "volumes": [{"name": "data", "secret": {"secretName": "s", "defaultMode": 0}}],
            },
        },
        "strategy": {},
    },
    "status": {},
}


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def test_a_deployment_is_read_with_what_is_inlined_and_spelled() -> None:
    told = without_nulls(DEPLOYMENT)
    assert decode_envelope(envelope(told)) == told


def test_zeros_are_kept_where_they_mean_something() -> None:
    """Behind a pointer, or where JSON would have them too; not where JSON omits them."""
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "", "generateName": ""}}
    spec: dict[str, Any] = {"sessionAffinity": "", "publishNotReadyAddresses": False}
    spec["ports"] = [{"name": "", "port": 0, "targetPort": 0, "nodePort": 0}]
    read = decode_envelope(envelope({**body, "spec": spec}))
    assert read == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {},
        "spec": {"ports": [{"port": 0}]},
    }
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}
    assert decode_envelope(envelope(options)) == options


def test_what_comes_as_bytes_or_as_json_inside() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "data": {"a": "YQ==", "empty": ""}}
    assert decode_envelope(envelope(secret)) == secret
    revision = {"apiVersion": "apps/v1", "kind": "ControllerRevision", "data": {"a": [1, None]}}
    assert decode_envelope(envelope({**revision, "revision": 1}))["data"] == {"a": [1, None]}
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
    status = {"user": {"username": "jane", "extra": {"scopes": ["a", "b"]}}}
    read = decode_envelope(envelope({**review, "spec": {}, "status": status}))
    assert read["status"]["user"] == status["user"]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{}", "does not begin with"),
        (b"k8s\0", "no apiVersion, Kind= is not known"),
        (b"k8s\0" + length(1, length(1, b"v1") + length(2, b"Nonsense")), "Kind=Nonsense"),
        (envelope(without_nulls(DEPLOYMENT))[:-3], "bytes has"),
        (envelope({"apiVersion": "v1", "kind": "Pod"}) + length(3, b"gzip"), "'gzip'"),
        (b"k8s\0\x08\x01", "a number stands where bytes should"),
        (
            b"k8s\0" + length(1, length(1, b"v1") + length(2, b"\xff")),
            "a text is not UTF-8",
        ),
    ],
)
def test_what_is_wrong_with_a_body_is_said(body: bytes, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        decode_envelope(body)


def test_nesting_has_a_bound() -> None:
    inner: dict[str, Any] = {}
    for _ in range(DEPTH_MAX + 2):
        inner = {"not": inner}
    version = {"name": "v1", "schema": {"openAPIV3Schema": inner}}
    kind = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    with pytest.raises(Malformed, match=f"nests deeper than {DEPTH_MAX} levels"):
        decode_envelope(envelope({**kind, "spec": {"versions": [version]}}))


def test_envelopes_in_envelopes_have_the_same_bound() -> None:
    body = b"{}"
    for _ in range(DEPTH_MAX):
        revision = b"\n\x07apps/v1\x12\x12ControllerRevision"
        body = b"k8s\0" + length(1, revision) + length(2, length(2, length(1, body)))
    with pytest.raises(Malformed, match=f"nests deeper than {DEPTH_MAX} levels"):
        decode_envelope(body)


# -- whatever document, whatever bytes


def drawn(dice: random.Random, message: Message, depth: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for known in message.fields.values():
        if depth > 4 or dice.random() < 0.5:
            continue
        if not known.name:
            made |= drawn(dice, named(known.kind[1:]), depth + 1)
            continue
        value = value_of(dice, known.kind, depth)
        if value or not (known.omitted or known.kind[0] in "[{"):
            made[known.name] = value
    return made


def value_of(dice: random.Random, kind: str, depth: int) -> Any:
    match kind[0]:
        case "[":
            return [value_of(dice, kind[1:], depth) for _ in range(dice.randrange(3))]
        case "*":
            return [value_of(dice, kind[1:], depth) for _ in range(dice.randrange(3))]
        case "{":
            count = dice.randrange(3)
            return {f"k{number}": value_of(dice, kind[1:], depth) for number in range(count)}
        case "@":
            return drawn(dice, named(kind[1:]), depth + 1)
    choices: dict[str, tuple[Any, ...]] = {
        "s": ("", "a", "é\n"),
        "b": ("", "YQ=="),
        "i": (0, 1, -1, 2**31, 2**63 - 1),
        "t": (True, False),
        "=quantity": ("1", "100m"),
        "=int-or-string": (0, 80, "http"),
        "=time": ("2026-01-01T12:00:00Z", "1969-12-31T23:59:59Z"),
        "=micro-time": ("2026-01-01T12:00:00.000001Z",),
        "=raw": ({"a": 1}, [], "x"),
    }
    return dice.choice(choices[kind])


SIMPLE = [each for each in kinds() if each.resource.plural != "customresourcedefinitions"]


@settings(deadline=None)
@given(kind=st.sampled_from(SIMPLE), seed=st.integers(0, 2**32))
def test_any_document_is_read_as_it_was_written(kind: Kind, seed: int) -> None:
    resource = kind.resource
    message = message_of(resource.api_version, resource.kind)
    assert message is not None
    document = {"apiVersion": resource.api_version, "kind": resource.kind}
    document |= drawn(random.Random(seed), message)
    assert decode_envelope(envelope(document)) == document


@settings(deadline=None)
@given(
    kind=st.sampled_from(kinds()),
    data=st.binary(max_size=200),
    cuts=st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=4),
)
def test_any_bytes_are_a_document_or_malformed(
    kind: Kind, data: bytes, cuts: list[tuple[int, bytes]]
) -> None:
    meta = length(1, kind.resource.api_version.encode()) + length(2, kind.resource.kind.encode())
    body = envelope(without_nulls(DEPLOYMENT))
    for at, instead in cuts:
        body = body[:at] + instead + body[at + len(instead) :]
    for each in (b"k8s\0" + length(1, meta) + length(2, data), body, b"k8s\0" + data):
        try:
            assert isinstance(decode_envelope(each), dict)
        except Malformed as error:
            assert str(error)
