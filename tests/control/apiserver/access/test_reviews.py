"""Reviews, given who may do what."""

import pytest

from cluster.errors import ApiError
from control.apiserver.access import reviews
from control.apiserver.access.attributes import Attributes
from control.apiserver.access.rules import Rule
from control.apiserver.access.tokens import ISSUER, InvalidToken
from control.apiserver.identity import ADMIN, User


def test_what_is_asked_is_what_is_checked() -> None:
    asked: list[tuple[User, Attributes]] = []

    def allows(user: User, wanted: Attributes) -> bool:
        asked.append((user, wanted))
        return False

    attributes = {"verb": "get", "group": "apps", "resource": "deployments", "subresource": "scale"}
    spec = {"user": "jane", "groups": ["dev"], "resourceAttributes": {**attributes, "name": "web"}}
    made = reviews.access({"kind": "SubjectAccessReview", "spec": spec}, allows)
    assert made["status"] == {"allowed": False}
    ((user, wanted),) = asked
    assert user == User("jane", ("dev",))
    assert (wanted.resource, wanted.group, wanted.name) == ("deployments/scale", "apps", "web")
    path = {"nonResourceAttributes": {"verb": "get", "path": "/healthz"}}
    reviews.self_access({"spec": path}, ADMIN, allows)
    assert asked[-1][1].path == "/healthz"


def test_a_local_review_is_about_its_namespace() -> None:
    spec = {"user": "jane", "resourceAttributes": {"namespace": "a", "verb": "get"}}
    with pytest.raises(ApiError, match="they must be the same"):
        reviews.access({"kind": "L", "spec": spec}, lambda user, wanted: True, "b")


def test_rules_are_parted_by_what_they_are_about() -> None:
    path, resource = {"nonResourceURLs": ["/x"]}, {"resources": ["y"]}
    rules: list[Rule] = [{"verbs": ["get"], **each} for each in (path, resource)]
    spec = {"spec": {"namespace": "shop"}}
    status = reviews.self_rules(spec, User("jane"), lambda user, where: rules)["status"]
    assert status["resourceRules"] == rules[1:] and status["nonResourceRules"] == rules[:1]
    assert reviews.self_subject({}, User("jane", ("a",), "7"))["status"]["userInfo"] == {
        "username": "jane",
        "uid": "7",
        "groups": ["a"],
    }


def test_a_token_is_somebodys_or_nobodys() -> None:
    def shown(token: str, audiences: tuple[str, ...]) -> tuple[User, list[str]]:
        if token != "good":
            raise InvalidToken("it is no token")
        return User("robot"), [*audiences]

    good = reviews.token({"spec": {"token": "good"}}, shown)["status"]
    assert good == {"authenticated": True, "user": {"username": "robot"}, "audiences": [ISSUER]}
    bad = reviews.token({"spec": {}}, shown)["status"]
    assert bad == {"user": {}, "error": "[invalid bearer token, it is no token]"}
