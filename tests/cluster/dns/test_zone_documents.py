"""A zone read from what is kept is the zone read from whole documents."""

from typing import Any

from cluster.dns.zone import Zone
from cluster.dns.zone_documents import kept_of
from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES

MORE_METADATA = {
    "uid": "u",
    "resourceVersion": "7",
    "annotations": {"a": "b"},
    "managedFields": [{"manager": "m"}],
}


def whole(document: dict[str, Any], **more: Any) -> dict[str, Any]:
    """As the API has it, with much that no zone reads."""
    metadata = {**document["metadata"], **MORE_METADATA}
    metadata["labels"] = {**metadata.get("labels", {}), "app": "x"}
    return {**document, "metadata": metadata, "kind": "K", **more}


def documents(make: Any) -> dict[Any, list[dict[str, Any]]]:
    endpoints = [
        make.endpoint("10.244.1.5", hostname="web-0", nodeName="n", targetRef={"name": "x"}),
        make.endpoint("10.244.1.6", ready=False),
        make.endpoint("10.244.1.7", ready=None),
    ]
    host = make.pod("host", "10.1.1.1", hostNetwork=True, containers=[{"name": "c"}])
    return {
        NAMESPACES: [make.namespace("ns"), make.namespace("kube-system")],
        SERVICES: [
            make.service("web", "10.96.0.20", selector={"app": "web"}),
            make.headless("hl"),
            make.alias("db", "db.example.com"),
            make.service("none"),
        ],
        ENDPOINT_SLICES: [
            make.slice("hl", *endpoints),
            make.slice("web", "10.244.1.5"),
            make.slice("web", "x.example", name="fqdn", address_type="FQDN"),
            make.slice("hl", "10.244.1.9", name="bare", ports=[]),
        ],
        PODS: [
            make.pod("p", "10.244.1.5", containers=[{"name": "c"}]),
            make.pod("done", "10.244.1.8", status={"phase": "Failed"}),
            host,
        ],
    }


def zone_of(listed: dict[Any, list[Any]]) -> Zone:
    return Zone().with_changes(
        (resource, None, each) for resource, group in listed.items() for each in group
    )


def test_the_zone_is_the_same(make: Any) -> None:
    given = documents(make)
    kept = {
        resource: [kept_of(resource, whole(each)) for each in group]
        for resource, group in given.items()
    }
    one, other = zone_of(given), zone_of(kept)
    for name in ("namespaces", "services", "slices", "owners", "endpoint_owners", "pods"):
        assert dict(getattr(one, name)) == dict(getattr(other, name)), name
        assert getattr(one, name), name


def test_what_no_zone_reads_is_not_kept(make: Any) -> None:
    for resource, group in documents(make).items():
        for each in group:
            kept = kept_of(resource, whole(each))
            text = str(kept)
            for word in ("uid", "managedFields", "annotations", "app", "containers", "nodeName"):
                assert word not in text
            assert kept["metadata"]["resourceVersion"] == "7"
