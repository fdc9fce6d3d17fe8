"""Families of Services on a cluster that has IPv4 alone."""

from control.resources.service_families import family_causes, with_families


def test_a_service_is_single_stack_in_the_clusters_family() -> None:
    """S-44."""
    assert with_families({}, "IPv4") == {"ipFamilyPolicy": "SingleStack", "ipFamilies": ["IPv4"]}
    assert with_families({}, "IPv6")["ipFamilies"] == ["IPv6"]


def test_preferring_two_families_is_no_error_where_there_is_one() -> None:
    """S-45."""
    spec = {"ipFamilyPolicy": "PreferDualStack"}
    assert family_causes(spec, "IPv4") == []
    assert with_families(spec, "IPv4")["ipFamilies"] == ["IPv4"]


def test_requiring_two_families_is() -> None:
    """S-45."""
    (cause,) = family_causes({"ipFamilyPolicy": "RequireDualStack"}, "IPv4")
    assert cause.field == "spec.ipFamilyPolicy"
    assert cause.message == (
        'Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'
    )


def test_a_family_that_the_cluster_lacks_is_refused() -> None:
    """S-46."""
    (cause,) = family_causes({"ipFamilies": ["IPv4", "IPv6"]}, "IPv4")
    assert (cause.field, cause.message) == (
        "spec.ipFamilies[1]",
        'Invalid value: "IPv6": not configured on this cluster',
    )


def test_without_selector_and_address_both_families_are_the_default() -> None:
    """S-49."""
    spec = {"clusterIP": "None"}
    assert family_causes(spec, "IPv4") == []
    assert with_families(spec, "IPv4") == {
        "clusterIP": "None",
        "ipFamilyPolicy": "RequireDualStack",
        "ipFamilies": ["IPv4", "IPv6"],
    }
    single = with_families({**spec, "ipFamilyPolicy": "SingleStack"}, "IPv4")
    assert single["ipFamilies"] == ["IPv4"]
    selecting = with_families({**spec, "selector": {"a": "b"}}, "IPv4")
    assert selecting["ipFamilies"] == ["IPv4"]
