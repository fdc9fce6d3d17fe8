"""Which kinds about the API itself are refused, by their rows in the table."""

import pytest

from control.resources.kinds import find_kind
from control.resources.strategies.table import strategy_of

ADMISSION = "admissionregistration.k8s.io"


@pytest.mark.parametrize(
    ("group", "plural", "document"),
    [
        (ADMISSION, "validatingadmissionpolicies", {"spec": {}}),
        (ADMISSION, "validatingadmissionpolicybindings", {"spec": {}}),
        (ADMISSION, "mutatingadmissionpolicies", {"spec": {}}),
        (ADMISSION, "mutatingadmissionpolicybindings", {"spec": {}}),
        (ADMISSION, "validatingwebhookconfigurations", {"webhooks": [{"name": "a"}]}),
        (ADMISSION, "mutatingwebhookconfigurations", {"webhooks": [{"name": "a"}]}),
        ("apiregistration.k8s.io", "apiservices", {"spec": {"service": {"name": "a"}}}),
    ],
)
def test_what_nothing_acts_on_is_forbidden(
    group: str, plural: str, document: dict[str, object]
) -> None:
    kind = find_kind(group, "v1", plural)
    assert kind is not None
    assert [each.reason for each in strategy_of(kind).causes(document)] == ["FieldValueForbidden"]
