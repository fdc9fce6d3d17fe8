"""Which message a kind is."""

import pytest

from control.resources.kinds import kinds
from control.resources.protobuf.messages import message_of

NOT_IN_PROTOBUF: set[str] = set()


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.resource.plural)
def test_every_served_kind_is_known(kind) -> None:
    resource = kind.resource
    assert message_of(resource.api_version, resource.kind) is not None


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "DeleteOptions"),
        ("apps/v1", "DeleteOptions"),
        ("policy/v1", "Eviction"),
        ("v1", "Binding"),
        ("autoscaling/v1", "Scale"),
        ("authentication.k8s.io/v1", "TokenRequest"),
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview"),
    ],
)
def test_so_is_what_is_sent_but_not_stored(api_version: str, kind: str) -> None:
    assert message_of(api_version, kind) is not None


def test_a_field_says_how_it_is_read() -> None:
    port = message_of("v1", "Service")
    assert port is not None and port.fields[2].kind == "@core.v1.ServiceSpec"
    assert message_of("v1", "Nonsense") is None
    assert message_of("", "") is None
