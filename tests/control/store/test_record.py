"""Events of the store."""

from cluster.client.interface import EventType
from control.store.record import Change, ObjectKey, Record


def test_a_change_has_the_version_of_what_it_made() -> None:
    key = ObjectKey("shop", "a")
    before, after = (Record(key, version, {"metadata": {}}, b"{}") for version in (3, 7))
    assert Change(EventType.MODIFIED, before, after).version == 7
    assert Change(EventType.DELETED, before, after).lines == {}


def test_lines_are_kept_for_each_change_alone() -> None:
    record = Record(ObjectKey("", "a"), 1, {"metadata": {}}, b"{}")
    one, two = (Change(EventType.ADDED, None, record) for _ in range(2))
    one.lines["ADDED"] = b"line"
    assert two.lines == {}
