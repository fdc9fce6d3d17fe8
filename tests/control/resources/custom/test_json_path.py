"""JSONPaths of columns, scales and selectable fields."""

from typing import Any

import pytest

from control.resources.custom.json_path import PathFault, names_of, parse_path

DOCUMENT: dict[str, Any] = {
    "metadata": {"annotations": {"example.com/a": "1", "a b": "2"}},
    "spec": {"hosts": ["x", "y"], "size": 0},
    "status": {
        "conditions": [
            {"type": "Synced", "status": "False", "count": 2},
            {"type": "Ready", "status": "True", "fatal": True},
        ]
    },
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.size", [0]),
        (".spec.nothing", []),
        (".spec.size.deeper", []),
        (".spec.hosts[0]", ["x"]),
        (".spec.hosts[-1]", ["y"]),
        (".spec.hosts[5]", []),
        (".spec.hosts[*]", ["x", "y"]),
        (".status.conditions[*].type", ["Synced", "Ready"]),
        ('.status.conditions[?(@.type=="Ready")].status', ["True"]),
        ("""[?(@.type == 'Ready')].status""", []),
        (".status.conditions[?(@.type!='Ready')].type", ["Synced"]),
        (".status.conditions[?(@.fatal)].type", ["Ready"]),
        (".status.conditions[?(@.fatal==true)].type", ["Ready"]),
        (".status.conditions[?(@.count==2)].type", ["Synced"]),
        (r".metadata.annotations.example\.com/a", ["1"]),
        (".metadata.annotations['a b']", ["2"]),
        ('.metadata.annotations["a b"]', ["2"]),
    ],
)
def test_a_path_leads_to_values(path: str, found: list[Any]) -> None:
    assert parse_path(path).all(DOCUMENT) == found
    assert parse_path(path).first(DOCUMENT) == (found[0] if found else None)


@pytest.mark.parametrize(
    "path",
    ["spec", ".", ".a[", ".a[x]", ".a[?(@.b>3)]", ".a..b", "{.a}", ".a[1:2]", "." + "a" * 5000],
)
def test_what_is_not_read_is_a_fault(path: str) -> None:
    with pytest.raises(PathFault):
        parse_path(path)


def test_a_path_of_names_alone() -> None:
    assert names_of(r".spec.a\.b.c") == ("spec", "a.b", "c")
    for path in (".spec[0]", ".spec[*]", "spec"):
        with pytest.raises(PathFault):
            names_of(path)
