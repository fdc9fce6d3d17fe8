"""Rows of the table of controllers."""

from typing import Any

from cluster.objects.resources import PODS
from control.controllers import all_controllers
from control.controllers.definition import itself, present
from control.controllers.settings import WATCHED, ControllerSettings
from control.controllers.view import key_of


def test_a_change_concerns_the_object_itself(build: Any, view: Any) -> None:
    pod = build.pod("a")
    objects = view().objects
    assert list(itself(PODS)(objects, None, pod)) == [key_of(PODS, pod)]
    assert list(itself(PODS)(objects, pod, None)) == [key_of(PODS, pod)]


def test_the_newest_document_is_the_present_one(build: Any) -> None:
    old, new = build.pod("a"), build.pod("a")
    assert present(old, new) is new
    assert present(old, None) is old


def test_every_controller_watches_only_what_is_watched() -> None:
    rows = all_controllers(ControllerSettings())
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        assert set(row.watches) <= set(WATCHED)
