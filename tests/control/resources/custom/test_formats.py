"""What formats ask of texts."""

import pytest

from control.resources.custom.formats import fits


@pytest.mark.parametrize(
    ("format_", "good", "bad"),
    [
        ("byte", "aGk=", "a?b"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("date", "2026-01-31", "2026-02-30"),
        ("date-time", "2026-01-31T12:00:00.5+02:00", "2026-01-31 12:00"),
        ("duration", "1h30m", "soon"),
        ("email", "a@example.com", "a"),
        ("hexcolor", "#FFF", "red"),
        ("hostname", "a.example.com", "-a"),
        ("ipv4", "10.0.0.1", "::1"),
        ("ipv6", "::1", "10.0.0.1"),
        ("k8s-long-name", "a.b", "A"),
        ("k8s-short-name", "a", "a.b"),
        ("mac", "01:23:45:67:89:ab", "01:23"),
        ("uri", "https://example.com/a", "a b"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
        ("uuid4", "123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-12d3-a456-426614174000"),
    ],
)
def test_a_format_takes_what_is_of_it(format_: str, good: str, bad: str) -> None:
    assert fits(format_, good)
    assert not fits(format_, bad)


def test_a_format_that_nobody_knows_asks_nothing() -> None:
    assert fits("colour", "anything")
