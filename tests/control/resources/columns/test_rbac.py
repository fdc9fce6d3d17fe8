"""Bindings as `kubectl get rolebindings` shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns.rbac import BINDINGS


def test_a_binding_shows_its_role_and_its_subjects_by_kind(
    now: datetime, document: Callable[..., dict[str, Any]]
) -> None:
    subjects = [
        {"kind": "User", "name": "ada"},
        {"kind": "User", "name": "bob"},
        {"kind": "Group", "name": "staff"},
        {"kind": "ServiceAccount", "namespace": "shop", "name": "cart"},
    ]
    role = {"kind": "ClusterRole", "name": "view"}
    made = document("readers", roleRef=role, subjects=subjects)
    told = ["readers", "ClusterRole/view", "5m", "ada, bob", "staff", "shop/cart"]
    assert BINDINGS.row(made, now) == told
