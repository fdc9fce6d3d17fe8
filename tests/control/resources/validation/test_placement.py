"""Where pods are to be: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.placement import PREFERRED, REQUIRED, placement_causes

OPERATOR = 'Invalid value: "Near": not a valid selector operator'
LABELLED = {"labelSelector": {"matchLabels": {"app": "web"}}}


def told(**spec: Any) -> list[str]:
    return [f"{each.field}: {each.message}" for each in placement_causes(spec, "spec")]


def on_nodes(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": list(terms)}}}


@pytest.mark.parametrize(
    "spec",
    [
        {"tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b"}]},
        {"tolerations": [{"key": "a", "operator": "Gt", "value": "5"}]},
        {"affinity": on_nodes({"matchExpressions": [{"key": "a", "operator": "Exists"}]})},
        {"affinity": {"podAffinity": {REQUIRED: [{**LABELLED, "topologyKey": "zone"}]}}},
        {
            "topologySpreadConstraints": [
                {**LABELLED, "maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}
            ]
        },
    ],
)
def test_what_is_fine(spec: dict[str, Any]) -> None:
    assert told(**spec) == []


@pytest.mark.parametrize(
    ("toleration", "cause"),
    [
        (
            {"key": "a", "operator": "Maybe"},
            'operator: Unsupported value: "Maybe": supported values: "Equal", "Exists"',
        ),
        (
            {"value": "b"},
            'operator: Invalid value: "": operator must be Exists when `key` is empty, '
            'which means "match all values and all keys"',
        ),
        (
            {"key": "a", "operator": "Exists", "value": "b"},
            "operator: Invalid value: \"b\": value must be empty when `operator` is 'Exists'",
        ),
        (
            {"key": "a", "operator": "Exists", "effect": "Sometimes"},
            'effect: Unsupported value: "Sometimes": '
            'supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"',
        ),
        (
            {"key": "a", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 5},
            'effect: Invalid value: "NoSchedule": '
            "effect must be 'NoExecute' when `tolerationSeconds` is set",
        ),
    ],
)
def test_tolerations_that_make_no_sense(toleration: dict[str, Any], cause: str) -> None:
    assert told(tolerations=[toleration]) == [f"spec.tolerations[0].{cause}"]


def test_nodes_are_chosen_by_terms() -> None:
    place = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
    assert told(affinity=on_nodes()) == [
        f"{place}: Required value: must have at least one node selector term"
    ]

    def of_label(**expression: Any) -> list[str]:
        causes = told(affinity=on_nodes({"matchExpressions": [{"key": "a", **expression}]}))
        return [each.removeprefix(f"{place}[0].matchExpressions[0].") for each in causes]

    assert of_label(operator="Near") == [f"operator: {OPERATOR}"]
    assert of_label(operator="In") == [
        "values: Required value: must be specified when `operator` is 'In' or 'NotIn'"
    ]
    assert of_label(operator="Gt", values=["1", "2"]) == [
        "values: Required value: must be specified single value when `operator` is 'Lt' or 'Gt'"
    ]
    assert of_label(operator="Exists", values=["1"]) == [
        "values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
    ]
    assert of_label(operator="In", values=["a b"])[0].startswith('values[0]: Invalid value: "a b"')


def test_of_nodes_fields_there_is_the_name() -> None:
    fields = [{"key": "metadata.uid", "operator": "Exists", "values": ["x"]}]
    place = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchFields[0]"
    assert told(affinity=on_nodes({"matchFields": fields})) == [
        f'{place}.operator: Invalid value: "Exists": not a valid selector operator',
        f'{place}.key: Invalid value: "metadata.uid": not a valid field selector key',
    ]


@pytest.mark.parametrize("kind", ["podAffinity", "podAntiAffinity"])
def test_pods_are_near_by_a_topology(kind: str) -> None:
    place = f"spec.affinity.{kind}.{REQUIRED}[0]"
    causes = told(affinity={kind: {REQUIRED: [LABELLED]}})
    assert causes[:2] == [
        f"{place}.topologyKey: Required value: can not be empty",
        f'{place}.topologyKey: Invalid value: "": name part must be non-empty',
    ]
    term = {**LABELLED, "topologyKey": "zone"}
    weighted = [{"weight": 101, "podAffinityTerm": term}]
    assert told(affinity={kind: {PREFERRED: weighted}}) == [
        f"spec.affinity.{kind}.{PREFERRED}[0].weight: Invalid value: 101: "
        "must be in the range 1-100"
    ]
    bad = {"labelSelector": {"matchExpressions": [{"key": "a", "operator": "Near"}]}}
    assert told(affinity={kind: {REQUIRED: [{**term, **bad}]}}) == [
        f"{place}.labelSelector.matchExpressions[0].operator: {OPERATOR}"
    ]


def test_a_preference_has_a_weight() -> None:
    preferred = [{"preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]
    assert told(affinity={"nodeAffinity": {PREFERRED: preferred}}) == [
        f"spec.affinity.nodeAffinity.{PREFERRED}[0].weight: Invalid value: 0: "
        "must be in the range 1-100"
    ]


@pytest.mark.parametrize(
    ("more", "cause"),
    [
        ({"maxSkew": 0}, "maxSkew: Invalid value: 0: must be greater than zero"),
        ({"topologyKey": ""}, "topologyKey: Required value: can not be empty"),
        (
            {"whenUnsatisfiable": "Wait"},
            'whenUnsatisfiable: Unsupported value: "Wait": '
            'supported values: "DoNotSchedule", "ScheduleAnyway"',
        ),
        ({"minDomains": 0}, "minDomains: Invalid value: 0: must be greater than zero"),
        (
            {"minDomains": 2, "whenUnsatisfiable": "ScheduleAnyway"},
            "minDomains: Invalid value: 2: "
            "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
        ),
        (
            {"nodeTaintsPolicy": "Obey"},
            'nodeTaintsPolicy: Unsupported value: "Obey": supported values: "Honor", "Ignore"',
        ),
    ],
)
def test_spread(more: dict[str, Any], cause: str) -> None:
    fine = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    assert told(topologySpreadConstraints=[{**fine, **more}]) == [
        f"spec.topologySpreadConstraints[0].{cause}"
    ]


def test_one_topology_is_spread_over_in_one_way() -> None:
    same = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    assert told(topologySpreadConstraints=[same, {**same, "maxSkew": 2}]) == [
        "spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: "
        'Duplicate value: "{zone, DoNotSchedule}"'
    ]
