"""A write that means another object than the one that is there is refused."""

from typing import Any

import pytest

from cluster.errors import ApiError
from cluster.objects.resources import CONFIG_MAPS, NAMESPACES, NODES
from control.apiserver.options import DeleteOptions
from control.apiserver.preconditions import (
    check_identity,
    check_mortal,
    check_namespace,
    check_preconditions,
)
from control.store.record import ObjectKey, Record

METADATA = {"name": "a", "namespace": "shop", "uid": "u", "resourceVersion": "7"}
HELD = Record(ObjectKey("shop", "a"), 7, {"metadata": METADATA}, b"")


def test_a_namespace_is_that_of_the_path_if_there_is_one() -> None:
    check_namespace(CONFIG_MAPS, {"metadata": {}}, "shop")
    check_namespace(NODES, {"metadata": {"namespace": "other"}}, None)
    with pytest.raises(ApiError, match="'other' and 'shop'"):
        check_namespace(CONFIG_MAPS, {"metadata": {"namespace": "other"}}, "shop")


@pytest.mark.parametrize(
    ("given", "code"),
    [({"name": "b"}, 400), ({"uid": "former"}, 409), ({"resourceVersion": "6"}, 409)],
)
def test_another_object_is_not_replaced(given: dict[str, Any], code: int) -> None:
    check_identity(CONFIG_MAPS, {"metadata": METADATA}, HELD)
    check_identity(CONFIG_MAPS, {}, HELD)
    with pytest.raises(ApiError) as refused:
        check_identity(CONFIG_MAPS, {"metadata": given}, HELD)
    assert refused.value.code == code


@pytest.mark.parametrize("options", [{"uid": "former"}, {"resource_version": "6"}])
def test_another_object_is_not_deleted(options: dict[str, Any]) -> None:
    check_preconditions(CONFIG_MAPS, HELD, DeleteOptions(uid="u", resource_version="7"))
    with pytest.raises(ApiError, match="Precondition failed"):
        check_preconditions(CONFIG_MAPS, HELD, DeleteOptions(**options))


def test_a_cluster_is_never_without_its_first_namespaces() -> None:
    for name in ("default", "kube-system", "kube-public"):
        with pytest.raises(ApiError, match=f'namespaces "{name}" is forbidden: this namespace'):
            check_mortal(NAMESPACES, name)
        check_mortal(CONFIG_MAPS, name)
    check_mortal(NAMESPACES, "shop")
