"""Points in time as text."""

import pytest

from node_agent.kubelet.timestamps import micro_text, nano_text, parse, seconds_text

AT = 1_800_000_000.25


def test_each_precision_has_its_form():
    assert seconds_text(AT) == "2027-01-15T08:00:00Z"
    assert micro_text(AT) == "2027-01-15T08:00:00.250000Z"
    assert nano_text(AT) == "2027-01-15T08:00:00.250000000Z"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2027-01-15T08:00:00Z", AT - 0.25),
        ("2027-01-15T08:00:00.25Z", AT),
        ("2027-01-15T08:00:00.250000000Z", AT),
        ("2027-01-15T10:00:00.250000000+02:00", AT),
    ],
)
def test_any_rfc_3339_text_is_read(text, at):
    assert parse(text) == at


def test_other_text_is_an_error():
    with pytest.raises(ValueError):
        parse("yesterday")
