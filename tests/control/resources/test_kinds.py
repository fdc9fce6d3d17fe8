"""The table of kinds."""

from collections import Counter

import pytest

from cluster.objects import resources as used
from cluster.objects.resources import Resource
from control.resources.kinds import ALL_VERBS, Kind, find_kind, kinds


def kind(group: str, plural: str) -> Kind:
    (found,) = (
        each
        for each in kinds()
        if (each.resource.group, each.resource.plural) == (group, plural) and each.storage is None
    )
    return found


def test_a_path_finds_its_kind_and_no_other() -> None:
    found = find_kind("apps", "v1", "deployments")
    assert found is not None
    assert found.resource == Resource("apps", "v1", "deployments", "Deployment")
    assert find_kind("apps", "v1beta1", "deployments") is None
    assert find_kind("", "v1", "deployments") is None


@pytest.mark.parametrize(
    "resource", [each for each in vars(used).values() if isinstance(each, Resource)]
)
def test_everything_that_kubehop_s_own_processes_use_is_served(resource: Resource) -> None:
    found = find_kind(resource.group, resource.version, resource.plural)
    assert found is not None and found.resource == resource


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (
            "",
            "configmaps endpoints events limitranges namespaces nodes persistentvolumeclaims "
            "persistentvolumes pods podtemplates replicationcontrollers resourcequotas secrets "
            "serviceaccounts services",
        ),
        ("apps", "controllerrevisions daemonsets deployments replicasets statefulsets"),
        ("discovery.k8s.io", "endpointslices"),
        (
            "networking.k8s.io",
            "ingressclasses ingresses ipaddresses networkpolicies servicecidrs",
        ),
        ("events.k8s.io", "events"),
        ("coordination.k8s.io", "leases"),
    ],
)
def test_a_group_has_every_kind_that_can_be_stored(group: str, expected: str) -> None:
    served = [each.resource.plural for each in kinds() if each.resource.group == group]
    assert served == expected.split()


def test_kinds_that_only_answer_a_question_are_not_served() -> None:
    plurals = {each.resource.plural for each in kinds()}
    assert not plurals & {"bindings", "componentstatuses", "tokenreviews", "subjectaccessreviews"}


def test_versions_of_one_object_are_stored_as_one_of_them() -> None:
    stored = Counter(each.resource for each in kinds() if each.storage is None)
    assert set(stored.values()) == {1}
    converted = {each.resource.api_version: each for each in kinds() if each.storage is not None}
    assert set(converted) == {"autoscaling/v1", "events.k8s.io/v1"}
    assert converted["autoscaling/v1"].stored.api_version == "autoscaling/v2"
    assert converted["events.k8s.io/v1"].stored == used.EVENTS
    assert all(each.conversion is not None for each in converted.values())


def test_names_are_those_that_kubectl_knows() -> None:
    assert kind("", "services").short_names == ("svc",)
    assert kind("", "services").singular == "service"
    assert kind("", "endpoints").singular == "endpoints"
    assert kind("apps", "deployments").short_names == ("deploy",)
    assert kind("networking.k8s.io", "networkpolicies").short_names == ("netpol",)
    assert kind("", "secrets").short_names == ()


def test_no_two_kinds_of_a_group_share_a_name() -> None:
    names = Counter(
        (each.resource.group, each.resource.version, name)
        for each in kinds()
        for name in {each.resource.plural, each.singular, *each.short_names}
    )
    assert set(names.values()) == {1}


def test_kubectl_get_all_shows_what_it_shows_of_a_real_cluster() -> None:
    shown = {each.resource.plural for each in kinds() if "all" in each.categories}
    workloads = {"daemonsets", "deployments", "replicasets", "statefulsets", "cronjobs", "jobs"}
    core = {"pods", "services", "replicationcontrollers"}
    assert shown == workloads | core | {"horizontalpodautoscalers"}


def test_scope_is_upstream_s() -> None:
    in_no_namespace = {each.resource.plural for each in kinds() if not each.resource.namespaced}
    assert {"namespaces", "nodes", "persistentvolumes", "ingressclasses"} <= in_no_namespace
    assert not in_no_namespace & {"pods", "services", "endpointslices", "leases", "roles"}


def test_only_subresources_that_are_answered_are_listed() -> None:
    streams = {"exec", "attach", "portforward"}
    parts = {"status", "log", "binding", "eviction", "ephemeralcontainers", "resize"}
    assert set(kind("", "pods").subresources) == streams | parts
    assert set(kind("", "namespaces").subresources) == {"status", "finalize"}
    assert set(kind("apps", "deployments").subresources) == {"status", "scale"}
    assert set(kind("apps", "replicasets").subresources) == {"status", "scale"}
    assert kind("", "serviceaccounts").subresources == ("token",)
    assert kind("", "configmaps").subresources == ()
    assert kind("networking.k8s.io", "networkpolicies").subresources == ()


def test_namespaces_cannot_be_deleted_all_at_once() -> None:
    assert set(ALL_VERBS) - set(kind("", "namespaces").verbs) == {"deletecollection"}
    assert set(kind("", "pods").verbs) == set(ALL_VERBS)
