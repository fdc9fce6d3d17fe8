"""Which kind has which strategy."""

import pytest

from control.resources.kinds import Kind, find_kind, kinds
from control.resources.strategies.strategy import Strategy
from control.resources.strategies.table import _TABLE, strategy_of


def kind(group: str, plural: str) -> Kind:
    found = find_kind(group, "v1", plural)
    assert found is not None
    return found


def test_every_row_is_of_a_kind_that_is_served() -> None:
    served = {(each.resource.group, each.resource.plural) for each in kinds()}
    assert set(_TABLE) - served == set()


def test_a_kind_without_a_row_is_stored_as_its_schema_has_it() -> None:
    assert strategy_of(kind("", "limitranges")) == Strategy()


@pytest.mark.parametrize(
    ("group", "plural"),
    [
        ("", "pods"),
        ("", "services"),
        ("", "serviceaccounts"),
        ("", "persistentvolumes"),
        ("", "persistentvolumeclaims"),
        ("", "podtemplates"),
        ("", "resourcequotas"),
        ("storage.k8s.io", "storageclasses"),
    ],
)
def test_these_kinds_answer_a_deletion_with_the_object(group: str, plural: str) -> None:
    assert strategy_of(kind(group, plural)).returned_when_deleted


@pytest.mark.parametrize(
    ("group", "plural"),
    [("", "configmaps"), ("", "namespaces"), ("", "nodes"), ("apps", "deployments")],
)
def test_the_others_with_a_status(group: str, plural: str) -> None:
    assert not strategy_of(kind(group, plural)).returned_when_deleted
