"""What ordinary writes do to who manages what."""

from typing import Any

from control.resources.apply import tracking
from control.resources.apply.managers import UPDATE, Manager, Managers
from tests.control.resources.apply.schemas import CONFIG_MAP, DEPLOYMENT


def writer(name: str, subresource: str = "") -> Manager:
    return Manager(name, UPDATE, "v1", None, "now", subresource)


def held(managers: Managers) -> dict[str, Any]:
    return {each.name: each.fields for each in managers}


def test_a_new_object_is_its_creators() -> None:
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {"a": "1"}}
    managers = tracking.created(CONFIG_MAP, made, writer("me"), status_apart=False)
    assert held(managers) == {"me": {"f:data": {".": {}, "f:a": {}}}}


def test_a_change_moves_what_it_changes() -> None:
    managers = tracking.created(
        CONFIG_MAP, {"data": {"a": "1", "b": "1"}}, writer("me"), status_apart=False
    )
    managers = tracking.updated(
        CONFIG_MAP,
        {"data": {"a": "1", "b": "1"}},
        {"data": {"a": "2", "c": "3"}},
        managers,
        writer("you"),
        status_apart=False,
    )
    assert held(managers) == {
        "me": {"f:data": {}},
        "you": {"f:data": {"f:a": {}, "f:c": {}}},
    }


def test_nobody_takes_too_and_manages_nothing() -> None:
    managers = tracking.created(CONFIG_MAP, {"data": {"a": "1"}}, writer("me"), status_apart=False)
    left = tracking.updated(
        CONFIG_MAP,
        {"data": {"a": "1"}},
        {"data": {"a": "2"}},
        managers,
        writer(""),
        status_apart=False,
    )
    assert held(left) == {"me": {"f:data": {}}}


def test_each_endpoint_is_about_its_own_part() -> None:
    old = {"spec": {"replicas": 1}, "status": {"replicas": 0}}
    new = {"spec": {"replicas": 2}, "status": {"replicas": 1}}
    main = tracking.updated(DEPLOYMENT, old, new, (), writer("me"), status_apart=True)
    assert held(main) == {"me": {"f:spec": {"f:replicas": {}}}}
    status = tracking.updated(DEPLOYMENT, old, new, (), writer("me", "status"), status_apart=True)
    assert held(status) == {"me": {"f:status": {"f:replicas": {}}}}
    assert tracking.updated(DEPLOYMENT, old, old, main, writer("x"), status_apart=True) is main
