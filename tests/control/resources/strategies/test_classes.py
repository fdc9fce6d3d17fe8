"""Which kinds keep parts of themselves as they were."""

import pytest

from control.resources.kinds import kinds
from control.resources.strategies.table import strategy_of


@pytest.mark.parametrize(
    ("plural", "old", "new"),
    [
        ("storageclasses", {"provisioner": "a"}, {"provisioner": "b"}),
        ("csidrivers", {"spec": {"attachRequired": True}}, {"spec": {"attachRequired": False}}),
        ("resourcequotas", {"spec": {"scopes": ["a"]}}, {"spec": {"scopes": ["b"]}}),
        ("persistentvolumes", {"spec": {"nfs": {"path": "a"}}}, {"spec": {"nfs": {"path": "b"}}}),
        ("ingressclasses", {"spec": {"controller": "a"}}, {"spec": {"controller": "b"}}),
        ("runtimeclasses", {"handler": "a"}, {"handler": "b"}),
    ],
)
def test_a_change_is_refused(plural: str, old: dict[str, object], new: dict[str, object]) -> None:
    [kind] = [each for each in kinds() if each.resource.plural == plural]
    strategy = strategy_of(kind)
    assert list(strategy.update_causes(new, old))
    assert not list(strategy.update_causes(old, old))


def test_they_are_given_back_when_they_are_deleted() -> None:
    returned = {"storageclasses", "csidrivers", "resourcequotas", "persistentvolumes"}
    found = {each.resource.plural: strategy_of(each) for each in kinds()}
    assert all(found[plural].returned_when_deleted for plural in returned)
