"""Bodies of every bad kind, over real sockets: done or refused in words, and nothing else."""

import itertools
import json
import select
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.processes.bad_input.bodies import (
    BODY_BYTES_MAX,
    CRUEL_PODS,
    JSON,
    LARGE,
    MEDIA_TYPES,
    PATCHES,
    SMALL,
    VALID,
    YAML,
)
from tests.processes.bad_input.raw import (
    MAPS,
    Control,
    answer_of,
    check,
    check_all,
    head,
    opened,
    send,
)

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PLACES = (
    ("POST", MAPS),
    ("PUT", f"{MAPS}/kube-root-ca.crt"),
    ("PATCH", f"{MAPS}/kube-root-ca.crt?fieldManager=test"),
    ("DELETE", f"{MAPS}/bad-input"),
    ("POST", "/api/v1/namespaces/default/pods"),
    ("PATCH", f"{DEPLOYMENTS}/bad-input?fieldManager=test&force=true"),
    ("PUT", f"{DEPLOYMENTS}/bad-input/scale"),
    ("POST", "/api/v1/namespaces/default/serviceaccounts/default/token"),
    ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"),
    ("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
    ("POST", "/api/v1/namespaces/default/pods/bad-input/eviction"),
    ("PATCH", "/api/v1/namespaces/default/status"),
)
POD = {"metadata": {"name": "cruel"}, "spec": {"nodeName": "nowhere", "containers": []}}
BYTES_ROUND_A_BODY = st.lists(
    st.tuples(st.integers(0, 200), st.integers(0, 3), st.binary(max_size=6)),
    min_size=1,
    max_size=4,
)


def test_every_media_type_takes_what_belongs_to_every_other(control: Control) -> None:
    """Every body under every type, in turn at one of the places that read bodies."""
    places = itertools.cycle(PLACES)
    codes = check_all(
        ((name, media_type, place), send(control, *place, body, media_type))
        for name, body in SMALL.items()
        for media_type, place in zip(MEDIA_TYPES, places, strict=False)
    )
    assert codes >= {400, 404, 415, 422}


@pytest.mark.parametrize(("method", "path"), PLACES)
def test_every_place_that_reads_a_body_reads_a_bad_one(
    control: Control, method: str, path: str
) -> None:
    types = PATCHES if method == "PATCH" else (JSON, YAML)
    codes = check_all(
        ((name, media_type), send(control, method, path, body, media_type))
        for name, body in SMALL.items()
        for media_type in types
    )
    assert max(codes) >= 400


@pytest.mark.parametrize("name", LARGE)
def test_large_bodies_are_read_to_a_limit(control: Control, name: str) -> None:
    body = LARGE[name]
    types = {"long YAML": [YAML], "longer YAML": [YAML], "zeros": MEDIA_TYPES}
    for media_type in types.get(name, [JSON]):
        check(send(control, "POST", MAPS, body, media_type), (name, media_type))
    for media_type in PATCHES[:2]:
        path = f"{MAPS}/kube-root-ca.crt"
        check(send(control, "PATCH", path, body, media_type), (name, media_type))


def test_a_body_that_never_ends_is_ended(control: Control) -> None:
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    sent = 0
    with opened(control) as connection:
        connection.sendall(head("POST", MAPS, b"Transfer-Encoding: chunked"))
        while not select.select([connection], [], [], 0)[0] and sent < 16 * BODY_BYTES_MAX:
            sent += len(chunk)
            connection.sendall(chunk)
        answer = answer_of(connection)
    assert (answer.code, answer.document()["reason"]) == (413, "RequestEntityTooLarge")
    assert sent >= BODY_BYTES_MAX


@pytest.mark.parametrize("name", CRUEL_PODS)
def test_values_that_grow_when_they_are_read(control: Control, name: str) -> None:
    container: dict[str, Any] = {"name": "web", "image": "echo", **CRUEL_PODS[name]}
    pod = {**POD, "spec": {**POD["spec"], "containers": [container]}}
    path = "/api/v1/namespaces/default/pods"
    check(send(control, "POST", f"{path}?dryRun=All", json.dumps(pod).encode()), name)
    apply = "application/apply-patch+yaml"
    path = f"{path}/cruel?fieldManager=test&dryRun=All"
    check(send(control, "PATCH", path, json.dumps(pod).encode(), apply), name)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(media_type=st.sampled_from(sorted(VALID)), changes=BYTES_ROUND_A_BODY)
def test_a_good_body_with_bytes_changed_is_no_fault(
    control: Control, media_type: str, changes: list[tuple[int, int, bytes]]
) -> None:
    body = VALID[media_type]
    for place, removed, put in changes:
        at = place % (len(body) + 1)
        body = body[:at] + put + body[at + removed :]
    check(send(control, "POST", f"{MAPS}?dryRun=All", body, media_type), body)
