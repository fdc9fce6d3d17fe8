"""The view follows the objects, whatever the order of events."""

from typing import Any

from cluster.gateway.balancer import FrontState
from cluster.gateway.balancer_view import WATCHED, BalancerView
from cluster.gateway.front_plans import FrontPlans
from cluster.gateway.health import NodeHealth

SERVICES, ENDPOINT_SLICES, NODES = WATCHED


def view_of(*changes: Any) -> BalancerView:
    return BalancerView().with_changes(changes)


def states(view: BalancerView) -> dict[str, FrontState]:
    plans = FrontPlans().follow(view, NodeHealth())
    return {str(place): plan.state for place, plan in plans.items()}


def test_the_order_of_events_does_not_matter(make: Any) -> None:
    changes = [
        (ENDPOINT_SLICES, None, make.slice("10.244.1.5")),
        (NODES, None, make.node()),
        (SERVICES, None, make.service()),
    ]
    for order in (changes, changes[::-1]):
        assert states(view_of(*order)) == {"127.65.211.1:80/TCP": FrontState.SERVING}


def test_what_is_deleted_counts_no_more(make: Any) -> None:
    service, node, first = make.service(), make.node(), make.slice("10.244.1.5")
    view = view_of((SERVICES, None, service), (NODES, None, node), (ENDPOINT_SLICES, None, first))
    assert states(view.with_changes([(ENDPOINT_SLICES, first, None)])) == {
        "127.65.211.1:80/TCP": FrontState.CLOSED
    }
    assert states(view.with_changes([(NODES, node, None)])) == {
        "127.65.211.1:80/TCP": FrontState.SILENT
    }
    assert states(view.with_changes([(SERVICES, service, None)])) == {}
    assert states(view) == {"127.65.211.1:80/TCP": FrontState.SERVING}, "a view never changes"


def test_a_slice_that_moves_to_another_service_leaves_its_first(make: Any) -> None:
    before, after = make.slice("10.244.1.5"), make.slice("10.244.1.5", service="api", name="web-1")
    view = view_of((ENDPOINT_SLICES, None, before))
    assert len(view.slices_of(("shop", "web"))) == 1
    moved = view.with_changes([(ENDPOINT_SLICES, before, after)])
    assert moved.slices_of(("shop", "web")) == ()
    assert len(moved.slices_of(("shop", "api"))) == 1


def test_several_slices_make_one_service(make: Any) -> None:
    view = view_of(
        (ENDPOINT_SLICES, None, make.slice("10.244.1.5", name="web-a")),
        (ENDPOINT_SLICES, None, make.slice("10.244.2.5", name="web-b")),
    )
    assert [each.meta.name for each in view.slices_of(("shop", "web"))] == ["web-a", "web-b"]


def test_a_slice_without_a_service_belongs_to_none(make: Any) -> None:
    """S-14."""
    orphan = make.slice("10.244.1.5", service="web")
    orphan["metadata"]["labels"] = {}
    view = view_of((ENDPOINT_SLICES, None, orphan))
    assert view.slices_of(("shop", "web")) == ()
    assert states(view.with_changes([(ENDPOINT_SLICES, orphan, None)])) == {}


def test_a_node_is_known_by_its_emulated_address(make: Any) -> None:
    view = view_of((NODES, None, make.node(2)))
    assert view.node_with("172.30.0.2") == "node-2"
    assert view.node_with("203.0.113.7") == "" == view.node_with("")
    moved = make.node(2)
    moved["status"]["addresses"] = [{"type": "InternalIP", "address": "172.30.0.9"}]
    view = view.with_changes([(NODES, make.node(2), moved)])
    assert (view.node_with("172.30.0.2"), view.node_with("172.30.0.9")) == ("", "node-2")
    taken = view.with_changes([(NODES, None, make.node(9)), (NODES, moved, None)])
    assert taken.node_with("172.30.0.9") == "node-9", "whoever has it now stays known"


def test_what_counts_for_nothing_is_no_change(make: Any) -> None:
    """Such as a heartbeat: nothing is planned anew for it."""
    view = view_of(
        (SERVICES, None, make.service()),
        (NODES, None, make.node()),
        (ENDPOINT_SLICES, None, make.slice("10.244.1.5")),
    )
    later = make.node()
    later["status"]["conditions"][0]["lastHeartbeatTime"] = "2026-01-02T00:00:10Z"
    again = [(NODES, make.node(), later), (SERVICES, None, make.service())]
    assert view.with_changes([*again, (ENDPOINT_SLICES, None, make.slice("10.244.1.5"))]) is view
    assert view.with_changes([(SERVICES, make.service(), None)]) is not view
