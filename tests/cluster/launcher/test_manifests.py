"""Manifests given to `up -f`."""

from pathlib import Path
from typing import Any

import pytest

from cluster.client.interface import PatchType
from cluster.errors import ApiError, ConfigError
from cluster.launcher.manifests import apply, delete, parse_manifests, read_manifests

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"


class Api:
    """The calls that applying makes, and objects that are there already."""

    def __init__(self, *existing: str) -> None:
        self.existing = set(existing)
        self.calls: list[tuple[Any, ...]] = []

    async def call(self, method: str, path: str) -> Any:
        self.calls.append((method, path))
        if path != "/api/v1":
            raise ApiError({"code": 404, "reason": "NotFound", "message": "no such path"})
        kinds = [("pods/status", "Pod", True), ("pods", "Pod", True)]
        kinds.append(("namespaces", "Namespace", False))
        return {
            "resources": [
                {"name": name, "kind": kind, "namespaced": inside} for name, kind, inside in kinds
            ]
        }

    async def create(self, resource: Any, document: Any) -> None:
        name = document["metadata"]["name"]
        self.calls.append(("create", resource.plural, document["metadata"].get("namespace"), name))
        if name in self.existing:
            raise ApiError({"code": 409, "reason": "AlreadyExists", "message": "already exists"})
        if name == "wrong":
            raise ApiError({"code": 422, "reason": "Invalid", "message": "spec: Required value"})

    async def patch(
        self, resource: Any, name: str, document: Any, *, namespace: str | None, patch_type: Any
    ) -> None:
        assert patch_type is PatchType.STRATEGIC
        self.calls.append(("patch", resource.plural, namespace, name))

    async def delete(self, resource: Any, name: str, *, namespace: str | None) -> None:
        self.calls.append(("delete", resource.plural, namespace, name))
        if name == "gone":
            raise ApiError({"code": 404, "reason": "NotFound", "message": "not found"})
        if name == "kept":
            raise ApiError({"code": 403, "reason": "Forbidden", "message": "no"})


def kinds(found: list[tuple[str, Any]]) -> list[str]:
    return [document["kind"] for _, document in found]


# -- reading


def test_namespaces_come_before_what_is_in_them_else_order_stays():
    text = "---\n".join([POD, "kind: Service\n", NAMESPACE])
    assert kinds(parse_manifests(text)) == ["Namespace", "Pod", "Service"]


def test_a_list_is_what_is_in_it_and_empty_documents_are_nothing():
    text = "---\n---\nkind: List\nitems: [{kind: Pod}, {kind: Service}]\n---\n# a comment\n"
    assert kinds(parse_manifests(text)) == ["Pod", "Service"]


def test_json_is_yaml():
    assert kinds(parse_manifests('{"kind": "Pod"}')) == ["Pod"]


def test_a_document_has_a_place():
    assert parse_manifests("---\n" + POD, "shop.yaml")[0][0] == "shop.yaml, document 1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: [", r"shop\.yaml is not YAML: .*line [12]"),
        ("a\n---\n" + POD, r"shop\.yaml, document 1 is no Kubernetes object: it has no kind"),
        (POD + "---\nmetadata: {}", r"shop\.yaml, document 2 is no Kubernetes object"),
        ("- kind: Pod", r"shop\.yaml, document 1 is no Kubernetes object"),
    ],
)
def test_what_is_no_manifest_is_named_with_its_place(text: str, message: str):
    with pytest.raises(ConfigError, match=f"(?s){message}"):
        parse_manifests(text, "shop.yaml")


def test_a_directory_is_its_manifests_in_the_order_of_their_names(tmp_path: Path):
    (tmp_path / "b.yml").write_text("kind: Second\n")
    (tmp_path / "a.yaml").write_text("kind: First\n")
    (tmp_path / "c.json").write_text('{"kind": "Third"}')
    (tmp_path / "notes.md").write_text("kind: [")
    assert kinds(read_manifests([tmp_path])) == ["First", "Second", "Third"]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"the manifest .*shop\.yaml cannot be read"):
        read_manifests([tmp_path / "shop.yaml"])
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"the manifest .*binary\.yaml cannot be read"):
        read_manifests([tmp_path / "binary.yaml"])


# -- applying


async def test_what_is_not_there_is_created():
    api = Api()
    done = await apply(api, parse_manifests(POD + "---\n" + NAMESPACE))
    assert done == ["Namespace shop created", "Pod shop/a created"]
    assert ("create", "pods", "shop", "a") in api.calls


async def test_what_is_there_is_changed():
    api = Api("a")
    assert await apply(api, parse_manifests(POD)) == ["Pod shop/a configured"]
    assert api.calls[-1] == ("patch", "pods", "shop", "a")


async def test_who_names_no_namespace_means_default_where_there_is_one():
    api = Api()
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
    assert await apply(api, parse_manifests(text)) == ["Pod default/a created"]


async def test_discovery_is_asked_once_a_kind():
    api = Api()
    await apply(api, parse_manifests("---\n".join([POD, POD.replace("name: a", "name: b")])))
    assert api.calls.count(("GET", "/api/v1")) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (POD.replace("v1", "shop/v9"), "document 1: apiVersion shop/v9 is not served"),
        (POD.replace("Pod", "Cart"), "document 1: v1 has no kind 'Cart'; it has Namespace, Pod"),
        (POD.replace(": a", ": wrong"), "document 1: Pod shop/wrong: spec: Required value"),
    ],
)
async def test_what_cannot_be_applied_is_named_with_its_place(text: str, message: str):
    with pytest.raises(ConfigError, match=message):
        await apply(Api(), parse_manifests(text))


async def test_objects_are_deleted_and_those_that_are_not_there_are_fine():
    api = Api()
    await delete(api, parse_manifests("---\n".join([POD, POD.replace(": a", ": gone"), NAMESPACE])))
    assert [each for each in api.calls if each[0] == "delete"] == [
        ("delete", "namespaces", None, "shop"),
        ("delete", "pods", "shop", "a"),
        ("delete", "pods", "shop", "gone"),
    ]


async def test_an_object_that_may_not_be_deleted_is_named():
    with pytest.raises(ConfigError, match=r"document 1: no"):
        await delete(Api(), parse_manifests(POD.replace(": a", ": kept")))
