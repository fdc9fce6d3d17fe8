"""Plans that are kept are those that would be made anew; what does not change stays the same."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cluster.gateway.balancer import FrontState
from cluster.gateway.balancer_view import WATCHED, BalancerView
from cluster.gateway.front_plans import FrontPlans
from cluster.gateway.health import NodeHealth

SERVICES, ENDPOINT_SLICES, NODES = WATCHED
NAMES, PORTS = st.sampled_from(["web", "db"]), st.integers(80, 81)
ENDPOINTS = st.lists(st.sampled_from(["10.244.1.5", "10.244.2.6"]), max_size=2, unique=True)
GONE = st.booleans()
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("service"), NAMES, PORTS, GONE),
        st.tuples(st.just("slice"), NAMES, ENDPOINTS, GONE),
        st.tuples(st.just("node"), st.integers(1, 3), st.none(), GONE),
        st.tuples(st.just("health"), st.integers(1, 3), st.none(), GONE),
    ),
    max_size=20,
)


def change(make: Any, what: str, name: Any, more: Any, gone: bool) -> Any:
    match what:
        case "service":
            resource, document = SERVICES, make.service(name, port=more)
        case "slice":
            resource, document = ENDPOINT_SLICES, make.slice(*more, service=name)
        case _:
            resource, document = NODES, make.node(name)
    return (resource, document, None) if gone else (resource, None, document)


@given(events=EVENTS)
def test_kept_and_anew_are_the_same_whatever_comes(make: Any, events: Any) -> None:
    """S-58, S-85, S-108 to S-124."""
    view, health, plans = BalancerView(), NodeHealth(), FrontPlans()
    for what, name, more, gone in events:
        if what != "health":
            view = view.with_changes([change(make, what, name, more, gone)])
        elif gone:
            health.failed(f"node-{name}", "refused", surely=True)
        else:
            health.succeeded(f"node-{name}")
        kept = plans.follow(view, health)
        assert kept == FrontPlans().follow(view, health)
        assert list(kept) == list(FrontPlans().follow(view, health)), "the older one goes first"


def test_a_change_leaves_the_plans_of_other_services_as_they_are(make: Any) -> None:
    documents = [
        *(
            (SERVICES, None, make.service(name, port=port))
            for name, port in (("web", 80), ("db", 81))
        ),
        *(
            (ENDPOINT_SLICES, None, make.slice("10.244.1.5", service=name))
            for name in ("web", "db")
        ),
        (NODES, None, make.node()),
    ]
    view, health, plans = BalancerView().with_changes(documents), NodeHealth(), FrontPlans()
    before = plans.follow(view, health)
    emptied = view.with_changes([(ENDPOINT_SLICES, None, make.slice(service="db"))])
    after = plans.follow(emptied, health)
    web, db = sorted(before, key=lambda place: place.address.port)
    assert after[web] is before[web]
    assert (before[db].state, after[db].state) == (FrontState.SERVING, FrontState.CLOSED)
    health.failed("node-1", "refused", surely=True)
    assert plans.follow(emptied, health)[web].state is FrontState.SILENT
