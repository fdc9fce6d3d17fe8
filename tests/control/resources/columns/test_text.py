"""Labels, selectors and lists in cells."""

from control.resources.columns.text import (
    containers_text,
    labels_text,
    listed,
    selector_text,
    template_text,
)


def test_labels_are_sorted_and_none_is_said() -> None:
    assert labels_text({"tier": "web", "app": "cart"}) == "app=cart,tier=web"
    assert labels_text({}) == labels_text(None) == "<none>"


def test_a_selector_reads_as_in_a_query_sorted_by_key() -> None:
    selector = {
        "matchLabels": {"tier": "web"},
        "matchExpressions": [
            {"key": "zone", "operator": "In", "values": ["b", "a"]},
            {"key": "app", "operator": "NotIn", "values": ["old"]},
            {"key": "debug", "operator": "DoesNotExist"},
            {"key": "live", "operator": "Exists"},
        ],
    }
    assert selector_text(selector) == "app notin (old),!debug,live,tier=web,zone in (a,b)"
    assert selector_text({}) == selector_text(None) == ""


def test_containers_are_told_by_names_and_images() -> None:
    containers = [{"name": "web", "image": "nginx"}, {"name": "side", "image": "envoy:1"}]
    assert containers_text(containers) == ("web,side", "nginx,envoy:1")
    document = {"spec": {"template": {"spec": {"containers": containers[:1]}}}}
    assert template_text(document) == ("web", "nginx")
    assert template_text({}) == ("", "")


def test_a_long_list_says_how_many_more_there_are() -> None:
    assert listed("ab", empty="-") == "a,b"
    assert listed("abc", empty="-") == "a,b,c"
    assert listed("abcde", empty="-") == "a,b,c + 2 more..."
    assert listed([], empty="<unset>") == "<unset>"
