"""Status conditions."""

from control.controllers.conditions import condition_of, status_is, with_condition

READY = {"type": "Ready", "status": "True", "lastTransitionTime": "old", "probe": "kept"}
OTHER = {"type": "Other", "status": "False"}


def test_an_unchanged_status_keeps_its_transition_time() -> None:
    [held, other] = with_condition([READY, OTHER], {**READY, "reason": "New"}, when="new")
    assert held["lastTransitionTime"] == "old"
    assert held["reason"] == "New"
    assert other == OTHER


def test_a_changed_status_has_the_new_time_and_keeps_its_other_fields() -> None:
    [held, _] = with_condition([READY, OTHER], {"type": "Ready", "status": "False"}, when="new")
    assert held == {
        "type": "Ready",
        "status": "False",
        "lastTransitionTime": "new",
        "probe": "kept",
    }


def test_a_new_condition_comes_last() -> None:
    assert [c["type"] for c in with_condition([OTHER], READY, when="new")] == ["Other", "Ready"]


def test_a_missing_condition_has_no_status() -> None:
    """P-40."""
    document = {"metadata": {}, "status": {"conditions": [OTHER]}}
    assert condition_of(document, "Ready") is None
    assert not status_is(document, "Ready")
    assert not status_is({"metadata": {}}, "Ready", "False")
    assert status_is(document, "Other", "False")
