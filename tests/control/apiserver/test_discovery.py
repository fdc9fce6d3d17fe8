"""Discovery, in the form of each generation of clients."""

from typing import Any

import pytest

from control.apiserver import discovery
from control.apiserver.discovery import SUBRESOURCE_VERBS
from control.resources.kinds import ALL_VERBS, kinds


def rows(group: str, version: str = "v1") -> dict[str, dict[str, Any]]:
    found = discovery.api_resource_list(kinds(), group, version)
    assert found is not None
    return {each["name"]: each for each in found["resources"]}


def aggregated(core: bool) -> dict[str, dict[str, Any]]:
    """Each resource's entry by `group/plural`."""
    document = discovery.aggregated(kinds(), core, "v2")
    return {
        f"{item['metadata'].get('name', '')}/{each['resource']}": each
        for item in document["items"]
        for version in item["versions"]
        for each in version["resources"]
    }


def test_the_core_group_has_one_version() -> None:
    assert discovery.api_versions() == {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [],
    }


def test_groups_name_their_versions_and_the_one_they_prefer() -> None:
    groups = {each["name"]: each for each in discovery.api_group_list(kinds())["groups"]}
    only = {"groupVersion": "apps/v1", "version": "v1"}
    assert groups["apps"] == {"name": "apps", "versions": [only], "preferredVersion": only}
    assert groups["autoscaling"]["preferredVersion"]["version"] == "v2"
    assert "" not in groups


def test_one_group_is_the_list_s_entry_with_a_kind() -> None:
    (listed,) = (
        each for each in discovery.api_group_list(kinds())["groups"] if each["name"] == "batch"
    )
    assert discovery.api_group(kinds(), "batch") == {
        "kind": "APIGroup",
        "apiVersion": "v1",
        **listed,
    }


@pytest.mark.parametrize("name", ["", "v1", "example.org"])
def test_there_is_no_such_group(name: str) -> None:
    assert discovery.api_group(kinds(), name) is None


def test_a_resource_is_listed_with_its_names_and_verbs() -> None:
    assert rows("apps")["deployments"] == {
        "name": "deployments",
        "singularName": "deployment",
        "namespaced": True,
        "kind": "Deployment",
        "verbs": list(ALL_VERBS),
        "shortNames": ["deploy"],
        "categories": ["all"],
    }
    assert "shortNames" not in rows("")["secrets"]


def test_subresources_are_rows_of_their_own() -> None:
    apps, core = rows("apps"), rows("")
    assert apps["deployments/scale"] == {
        "name": "deployments/scale",
        "singularName": "",
        "namespaced": True,
        "group": "autoscaling",
        "version": "v1",
        "kind": "Scale",
        "verbs": ["get", "patch", "update"],
    }
    assert core["pods/log"]["kind"] == "Pod"
    assert core["pods/log"]["verbs"] == ["get"]
    assert core["pods/binding"]["kind"] == "Binding"
    assert core["pods/binding"]["verbs"] == ["create"]
    assert core["namespaces/finalize"]["verbs"] == ["update"]
    assert core["namespaces/status"]["namespaced"] is False


def test_rows_are_in_the_order_of_their_names() -> None:
    for group in ("", "apps", "networking.k8s.io"):
        assert list(rows(group)) == sorted(rows(group))


def test_what_is_not_answered_is_not_listed() -> None:
    assert not {"pods/proxy", "services/proxy", "nodes/proxy"} & set(rows(""))


def test_a_token_is_asked_for_by_a_kind_of_another_group() -> None:
    row = rows("")["serviceaccounts/token"]
    assert (row["group"], row["kind"]) == ("authentication.k8s.io", "TokenRequest")


def test_an_eviction_is_a_kind_of_another_group() -> None:
    row = rows("")["pods/eviction"]
    assert (row["group"], row["version"], row["kind"]) == ("policy", "v1", "Eviction")
    assert row["verbs"] == ["create"]


def test_lists_say_their_group_version() -> None:
    core, apps = (
        discovery.api_resource_list(kinds(), "", "v1"),
        discovery.api_resource_list(kinds(), "apps", "v1"),
    )
    assert core is not None and apps is not None
    assert (core["groupVersion"], "apiVersion" in core) == ("v1", False)
    assert (apps["groupVersion"], apps["apiVersion"]) == ("apps/v1", "v1")


@pytest.mark.parametrize(
    ("group", "version"), [("apps", "v1beta1"), ("", "v2"), ("example.org", "v1")]
)
def test_there_is_no_such_version(group: str, version: str) -> None:
    assert discovery.api_resource_list(kinds(), group, version) is None


@pytest.mark.parametrize("version", ["v2", "v2beta1"])
def test_an_aggregated_document_has_one_shape_in_both_versions(version: str) -> None:
    document = discovery.aggregated(kinds(), True, version)
    assert document["kind"] == "APIGroupDiscoveryList"
    assert document["apiVersion"] == f"apidiscovery.k8s.io/{version}"
    assert document["items"] == discovery.aggregated(kinds(), True, "v2")["items"]
    (core,) = document["items"]
    assert core["metadata"] == {}
    assert [each["freshness"] for each in core["versions"]] == ["Current"]


def test_the_core_group_is_below_api_and_all_others_below_apis() -> None:
    everywhere = {**aggregated(True), **aggregated(False)}
    assert set(everywhere) == {f"{each.resource.group}/{each.resource.plural}" for each in kinds()}
    assert {name.split("/")[0] for name in aggregated(True)} == {""}
    assert "" not in {name.split("/")[0] for name in aggregated(False)}


def test_an_aggregated_resource_has_its_subresources_inside() -> None:
    entry = aggregated(False)["apps/replicasets"]
    assert entry["responseKind"] == {"group": "apps", "version": "v1", "kind": "ReplicaSet"}
    assert (entry["scope"], entry["singularResource"]) == ("Namespaced", "replicaset")
    assert entry["shortNames"] == ["rs"]
    scale, status = entry["subresources"]
    assert scale == {
        "subresource": "scale",
        "responseKind": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
        "verbs": ["get", "patch", "update"],
    }
    assert status["responseKind"]["kind"] == "ReplicaSet"
    assert aggregated(True)["/nodes"]["scope"] == "Cluster"


def test_both_forms_say_the_same() -> None:
    legacy = {
        f"{group}/{name}": row["verbs"]
        for group in {each.resource.group for each in kinds()}
        for name, row in rows(group, "v2" if group == "autoscaling" else "v1").items()
    }
    inside: dict[str, list[str]] = {}
    for name, entry in {**aggregated(True), **aggregated(False)}.items():
        inside[name] = entry["verbs"]
        for each in entry.get("subresources", ()):
            inside[f"{name}/{each['subresource']}"] = each["verbs"]
    assert legacy == inside


def test_the_verbs_of_every_subresource_that_a_kind_has_are_known() -> None:
    assert {each for kind in kinds() for each in kind.subresources} == set(SUBRESOURCE_VERBS)
