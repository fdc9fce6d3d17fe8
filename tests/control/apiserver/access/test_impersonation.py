"""Asking as somebody else."""

import pytest
from multidict import CIMultiDict

from cluster.errors import ApiError
from control.apiserver.access.impersonation import impersonated, rights_for
from control.apiserver.identity import User


def test_nobody_is_impersonated_without_a_name() -> None:
    assert impersonated({}, []) is None
    for headers, groups in (({"Impersonate-Uid": "1"}, []), ({}, ["a"])):
        with pytest.raises(ApiError, match="without impersonating a user"):
            impersonated(headers, groups)


def test_a_user_comes_with_what_was_asked_for() -> None:
    headers = {"Impersonate-User": "jane", "Impersonate-Extra-Scopes%2fa": "x"}
    user = impersonated(headers, ["dev"])
    assert user == User("jane", ("dev", "system:authenticated"), "", {"scopes/a": ("x",)})
    wanted = [(each.resource, each.name) for each in rights_for(user, ["dev"])]
    assert wanted == [("users", "jane"), ("groups", "dev"), ("userextras/scopes/a", "x")]


def test_values_that_come_again_are_all_asked_for() -> None:
    key = "Impersonate-Extra-Scopes"
    headers = CIMultiDict([("Impersonate-User", "jane"), (key, "x"), (key.lower(), "y")])
    user = impersonated(headers, [])
    assert user is not None and user.extra == {"scopes": ("x", "y")}
    assert [each.name for each in rights_for(user, [])] == ["jane", "x", "y"]


def test_a_service_account_has_its_groups() -> None:
    user = impersonated({"Impersonate-User": "system:serviceaccount:shop:robot"}, [])
    assert user is not None
    assert user.groups == (
        "system:serviceaccounts",
        "system:serviceaccounts:shop",
        "system:authenticated",
    )
    (right,) = rights_for(user, [])
    assert (right.resource, right.namespace, right.name) == ("serviceaccounts", "shop", "robot")


def test_the_anonymous_are_not_authenticated() -> None:
    user = impersonated({"Impersonate-User": "system:anonymous"}, [])
    assert user is not None and user.groups == ("system:unauthenticated",)
