"""Reviews: questions about rights and users, asked by creating an object that is stored nowhere.

Pure: documents in, documents out, given who may do what. Source: kubernetes.io, "Authorization
Overview", checking API access; k8s.io/api, authorization/v1, authentication/v1.
"""

from collections.abc import Callable, Mapping
from typing import Any

from cluster.client.interface import Document
from control.apiserver import statuses
from control.apiserver.access.attributes import Attributes
from control.apiserver.access.rules import EVERYTHING, Rule
from control.apiserver.access.tokens import ISSUER, InvalidToken
from control.apiserver.identity import MASTERS, User

Allows = Callable[[User, Attributes], bool]
RulesOf = Callable[[User, str], list[Rule]]
Shown = Callable[[str, tuple[str, ...]], tuple[User, list[str]]]


def self_access(document: Document, user: User, allows: Allows) -> Document:
    """SelfSubjectAccessReview: may I?"""
    return _answered(document, user, allows)


def access(document: Document, allows: Allows, namespace: str = "") -> Document:
    """SubjectAccessReview and LocalSubjectAccessReview: may somebody?"""
    spec = _spec(document)
    if not spec.get("user") and not spec.get("groups"):
        words = "spec: Invalid value: at least one of user or group must be specified"
        raise statuses.refusal(422, "Invalid", f"{document['kind']} is invalid: {words}")
    asked = (spec.get("resourceAttributes") or {}).get("namespace")
    if namespace and asked != namespace:
        raise statuses.bad_request(
            f"spec.resourceAttributes.namespace is {asked!r}, the request's namespace is "
            f"{namespace!r}: they must be the same"
        )
    extra = {key: tuple(values or ()) for key, values in (spec.get("extra") or {}).items()}
    user = User(str(spec.get("user") or ""), tuple(spec.get("groups") or ()), "", extra)
    return _answered(document, user, allows)


def self_rules(document: Document, user: User, rules_of: RulesOf) -> Document:
    """SelfSubjectRulesReview: what may I, in a namespace?"""
    namespace = _spec(document).get("namespace")
    if not namespace:
        raise statuses.bad_request("no namespace on request")
    rules = EVERYTHING if MASTERS in user.groups else rules_of(user, str(namespace))
    resource = [_kept(each, RESOURCE_FIELDS) for each in rules if each.get("resources")]
    other = [_kept(each, PATH_FIELDS) for each in rules if each.get("nonResourceURLs")]
    status = {"resourceRules": resource, "nonResourceRules": other, "incomplete": False}
    return {**document, "status": status}


def self_subject(document: Document, user: User) -> Document:
    """SelfSubjectReview: who am I?"""
    return {**document, "status": {"userInfo": user.document()}}


def token(document: Document, shown: Shown) -> Document:
    """TokenReview: whose is this token?"""
    spec = _spec(document)
    audiences = tuple(map(str, spec.get("audiences") or ())) or (ISSUER,)
    try:
        user, meant = shown(str(spec.get("token") or ""), audiences)
    except InvalidToken as error:
        return {**document, "status": {"user": {}, "error": f"[invalid bearer token, {error}]"}}
    status = {"authenticated": True, "user": user.document(), "audiences": meant}
    return {**document, "status": status}


RESOURCE_FIELDS = ("verbs", "apiGroups", "resources", "resourceNames")
PATH_FIELDS = ("verbs", "nonResourceURLs")


def _answered(document: Document, user: User, allows: Allows) -> Document:
    allowed = allows(user, _wanted(_spec(document)))
    status: dict[str, Any] = {"allowed": allowed}
    if not allowed:
        status["reason"] = ""
    return {**document, "status": {key: value for key, value in status.items() if value != ""}}


def _wanted(spec: Mapping[str, Any]) -> Attributes:
    resource, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if bool(resource) == bool(path):
        words = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        raise statuses.bad_request(f"spec.resourceAttributes: Invalid value: {words}")
    if path:
        return Attributes(verb=_text(path, "verb"), path=_text(path, "path"))
    assert resource
    name, subresource = _text(resource, "resource"), _text(resource, "subresource")
    return Attributes(
        verb=_text(resource, "verb"),
        group=_text(resource, "group"),
        version=_text(resource, "version"),
        resource=f"{name}/{subresource}" if subresource else name,
        namespace=_text(resource, "namespace"),
        name=_text(resource, "name"),
    )


def _text(attributes: Mapping[str, Any], key: str) -> str:
    return str(attributes.get(key) or "")


def _spec(document: Document) -> Mapping[str, Any]:
    spec = document.get("spec") or {}
    if not isinstance(spec, Mapping):
        raise statuses.bad_request("spec is not an object")
    for key in ("resourceAttributes", "nonResourceAttributes", "extra"):
        if not isinstance(spec.get(key) or {}, Mapping):
            raise statuses.bad_request(f"spec.{key} is not an object")
    lists = {"spec.extra": list((spec.get("extra") or {}).values())}
    for key in ("groups", "audiences"):
        lists[f"spec.{key}"] = [spec.get(key)]
    for where, values in lists.items():
        if not all(map(_is_strings, values)):
            raise statuses.bad_request(f"{where} is not a list of strings")
    return spec


def _is_strings(value: Any) -> bool:
    return value is None or (
        isinstance(value, list) and all(isinstance(each, str) for each in value)
    )


def _kept(rule: Rule, names: tuple[str, ...]) -> Document:
    return {name: rule[name] for name in names if rule.get(name)}
