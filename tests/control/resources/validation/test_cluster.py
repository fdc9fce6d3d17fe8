"""Nodes, leases, bindings, classes: every refusal."""

from typing import Any

from control.resources.validation import cluster


def fields(causes: Any) -> list[str]:
    return [each.field for each in causes]


def test_a_node_keeps_its_range_of_pod_addresses() -> None:
    """P-19."""
    old, new = ({"spec": {"podCIDRs": [f"10.244.{n}.0/24"]}} for n in (1, 2))
    (cause,) = cluster.node_update_causes(new, old)
    assert cause.field == "spec.podCIDRs"
    assert cause.message == (
        'Forbidden: node updates may not change podCIDR except from "" to valid'
    )
    assert fields(cluster.node_update_causes({"spec": {}}, old)) == ["spec.podCIDRs"]
    assert fields(cluster.node_update_causes(new, {"spec": {}})) == []
    identified = {"spec": {"providerID": "a"}}
    assert fields(cluster.node_update_causes({}, identified)) == ["spec.providerID"]


def test_taints_differ_and_have_an_effect() -> None:
    def of(*taints: dict[str, Any]) -> list[str]:
        return fields(cluster.node_causes({"spec": {"taints": list(taints)}}))

    taint = {"key": "a", "value": "b", "effect": "NoExecute"}
    assert of(taint, {**taint, "effect": "NoSchedule"}) == []
    assert of(taint, taint) == ["spec.taints[1]"]
    assert of({**taint, "effect": "Never"}) == ["spec.taints[0].effect"]
    assert of({**taint, "key": "a b"}) == ["spec.taints[0].key"]
    assert fields(cluster.node_causes({"spec": {"podCIDRs": ["x"]}})) == ["spec.podCIDRs[0]"]


def test_a_lease_lasts() -> None:
    assert fields(cluster.lease_causes({"spec": {"leaseDurationSeconds": 40}})) == []
    assert fields(cluster.lease_causes({"spec": {"leaseDurationSeconds": 0}})) == [
        "spec.leaseDurationSeconds"
    ]
    assert fields(cluster.lease_causes({"spec": {"leaseTransitions": -1}})) == [
        "spec.leaseTransitions"
    ]


def test_what_is_for_life() -> None:
    assert fields(cluster.binding_update_causes({"roleRef": 1}, {"roleRef": 2})) == ["roleRef"]
    assert fields(cluster.binding_update_causes({"roleRef": 1}, {"roleRef": 1})) == []
    assert fields(cluster.revision_update_causes({"data": 1}, {"data": 2})) == ["data"]
    assert fields(cluster.priority_update_causes({"value": 1}, {"value": 2})) == ["value"]
    never = {"preemptionPolicy": "Never"}
    assert fields(cluster.priority_update_causes(never, {})) == ["preemptionPolicy"]


def test_priorities_of_the_system_are_the_systems() -> None:
    def told(name: str, value: int, **more: Any) -> list[str]:
        document = {"metadata": {"name": name}, "value": value, **more}
        return [f"{each.field}: {each.message}" for each in cluster.priority_causes(document)]

    assert told("high", 1_000_000_000) == told("low", -5) == []
    assert told("system-cluster-critical", 2_000_000_000) == []
    assert told("higher", 1_000_000_001) == [
        "value: Forbidden: maximum allowed value of a user defined priority is 1000000000"
    ]
    assert told("system-mine", 1) == [
        "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for "
        "system use only. error: system-mine is not a known system priority class"
    ]
    assert told("high", 1, preemptionPolicy="Always") == [
        'preemptionPolicy: Unsupported value: "Always": '
        'supported values: "PreemptLowerPriority", "Never"'
    ]
