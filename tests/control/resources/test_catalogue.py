"""The table of kinds that changes while the server runs."""

from cluster.objects.resources import Resource
from control.resources.catalogue import Catalogue, version_rank
from control.resources.kinds import Kind, kinds


def widgets(version: str = "v1", group: str = "example.com", plural: str = "widgets") -> Kind:
    return Kind(Resource(group, version, plural, "Widget"), "widget")


def test_without_definitions_it_is_the_built_in_table() -> None:
    catalogue = Catalogue()
    assert tuple(catalogue) == kinds()
    assert (catalogue.generation, tuple(catalogue.custom)) == (0, ())


def test_a_definition_s_versions_are_found_by_path() -> None:
    catalogue = Catalogue()
    catalogue.define("widgets.example.com", (widgets("v1"), widgets("v1beta1")))
    assert catalogue.find("example.com", "v1beta1", "widgets") == widgets("v1beta1")
    assert tuple(catalogue)[-2:] == (widgets("v1"), widgets("v1beta1"))


def test_each_change_is_a_new_generation_and_no_change_is_none() -> None:
    catalogue = Catalogue()
    catalogue.define("widgets.example.com", (widgets(),))
    catalogue.define("widgets.example.com", ())
    assert (catalogue.generation, catalogue.find("example.com", "v1", "widgets")) == (2, None)
    catalogue.define("widgets.example.com", ())
    assert catalogue.generation == 2


def test_definitions_are_in_the_order_of_their_names_after_what_is_built_in() -> None:
    catalogue = Catalogue((widgets(group="apps"),))
    catalogue.define("b", (widgets(group="b"),))
    catalogue.define("a", (widgets(group="a"),))
    assert [each.resource.group for each in catalogue] == ["apps", "a", "b"]


def test_no_definition_takes_a_built_in_kind_s_place() -> None:
    catalogue = Catalogue()
    pods = catalogue.find("", "v1", "pods")
    catalogue.define("pods", (widgets(group="", plural="pods"),))
    assert catalogue.find("", "v1", "pods") is pods


def test_the_preferred_version_of_a_group_comes_first_whoever_defines_it() -> None:
    catalogue = Catalogue(())
    catalogue.define("a", (widgets("v1alpha1", plural="a"),))
    catalogue.define("b", (widgets("v1", plural="b"), widgets("v1alpha1", plural="b")))
    found = [(each.resource.version, each.resource.plural) for each in catalogue]
    assert found == [("v1", "b"), ("v1alpha1", "a"), ("v1alpha1", "b")]
    names = ["foo", "v1alpha1", "v10", "v1", "v2beta2", "v2beta10"]
    assert sorted(names, key=version_rank) == [
        "v10",
        "v1",
        "v2beta10",
        "v2beta2",
        "v1alpha1",
        "foo",
    ]
