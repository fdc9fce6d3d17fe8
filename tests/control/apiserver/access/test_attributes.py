"""What a request wants, in the words of rules."""

from collections.abc import Mapping

import pytest

from control.apiserver.access.attributes import Attributes, attributes_of, denial, verb_of
from control.apiserver.identity import User
from control.apiserver.paths import parse_path

POD = "/api/v1/namespaces/shop/pods/web"
PODS = "/api/v1/namespaces/shop/pods"


@pytest.mark.parametrize(
    ("method", "path", "query", "verb"),
    [
        ("GET", POD, {}, "get"),
        ("HEAD", POD, {}, "get"),
        ("GET", PODS, {}, "list"),
        ("GET", "/api/v1/pods", {"watch": "True"}, "watch"),
        ("GET", f"{POD}/log", {"watch": "1"}, "get"),
        ("POST", PODS, {}, "create"),
        ("POST", f"{POD}/eviction", {}, "create"),
        ("PUT", POD, {}, "update"),
        ("PATCH", f"{POD}/status", {}, "patch"),
        ("DELETE", POD, {}, "delete"),
        ("DELETE", PODS, {}, "deletecollection"),
        ("GET", "/version", {}, "get"),
        ("POST", "/version", {}, "post"),
    ],
)
def test_a_verb_is_called_as_rules_call_it(
    method: str, path: str, query: Mapping[str, str], verb: str
) -> None:
    assert verb_of(method, parse_path(path), query) == verb


def test_a_namespace_is_in_itself() -> None:
    path = "/api/v1/namespaces/shop"
    wanted = attributes_of("GET", path, parse_path(path), {})
    assert (wanted.resource, wanted.name, wanted.namespace) == ("namespaces", "shop", "shop")


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", PODS, 'cannot list resource "pods" in API group "" in the namespace "shop"'),
        ("GET", f"{POD}/log", 'cannot get resource "pods/log" in API group "" in the namespace'),
        (
            "GET",
            "/apis/apps/v1/deployments",
            'cannot list resource "deployments" in API group "apps" at the cluster scope',
        ),
        ("GET", "/metrics", 'cannot get path "/metrics"'),
    ],
)
def test_a_denial_is_told_in_upstreams_words(method: str, path: str, words: str) -> None:
    wanted = attributes_of(method, path, parse_path(path), {})
    assert denial(User("jane"), wanted).startswith(f'User "jane" {words}')
    assert isinstance(wanted, Attributes)


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("metadata.name=web", "web"),
        ("spec.nodeName=a,metadata.name==web", "web"),
        ("metadata.name!=web", ""),
        ("metadata.name=web,metadata.name=db", ""),
        ("metadata.namespace=web", ""),
        ("metadata.name=", ""),
        (r"spec.nodeName!=a\,metadata.name=web", ""),
    ],
)
def test_a_collection_may_be_narrowed_to_one_name(selector: str, name: str) -> None:
    path, query = parse_path(PODS), {"fieldSelector": selector}
    for method in ("GET", "DELETE"):
        assert attributes_of(method, PODS, path, query).name == name
    assert attributes_of("POST", PODS, path, query).name == ""
