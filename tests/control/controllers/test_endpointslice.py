"""EndpointSlices follow the pods behind a Service."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.objects.resources import ENDPOINT_SLICES, NODES, PODS, SERVICES
from control.controllers import endpointslice
from control.controllers.endpointslice import reconcile
from control.controllers.topology_hints import ZONE
from control.controllers.view import Key, View, key_of
from control.controllers.writes import Create, Update

Views = Callable[..., View]
WEB = {"app": "web"}
KEY = Key(SERVICES, "default", "web")


class Slices:
    """A Service with pods in a simulation."""

    def __init__(self, simulation: Any, service: dict[str, Any]) -> None:
        self.simulation = simulation
        self.store = simulation.store
        self.store.create(SERVICES, service)

    def add(self, *pods: dict[str, Any]) -> "Slices":
        for pod in pods:
            self.store.create(PODS, pod)
        return self

    def look(self) -> list[Any]:
        return list(self.simulation.look(reconcile, KEY))

    @property
    def slices(self) -> list[dict[str, Any]]:
        return list(self.store.all(ENDPOINT_SLICES))

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        return [each for held in self.slices for each in held["endpoints"]]

    @property
    def addresses(self) -> set[str]:
        return {each["addresses"][0] for each in self.endpoints}


@pytest.fixture
def slices(simulation: Any, build: Any) -> Callable[..., Slices]:
    def make(**more: Any) -> Slices:
        return Slices(simulation, build.service("web", **{"selector": WEB, **more}))

    return make


def test_a_slice_is_named_owned_and_labelled_after_its_service(slices: Any, build: Any) -> None:
    """S-133, S-134."""
    web = slices(metadata={"labels": {"team": "shop"}})
    web.add(build.pod("a", ip="10.244.1.2", labels=WEB)).look()
    [held] = web.slices
    assert held["metadata"]["generateName"] == "web-"
    [owner] = held["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("Service", "web", True)
    assert held["metadata"]["labels"] == {
        "team": "shop",
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }


def test_a_slice_says_when_its_newest_change_happened(slices: Any, build: Any) -> None:
    """S-135."""
    web = slices().add(build.pod("a", ip="10.244.1.2", labels=WEB, ready_at=42))
    web.look()
    notes = web.slices[0]["metadata"]["annotations"]
    assert notes["endpoints.kubernetes.io/last-change-trigger-time"] == build.stamp(42)


def test_an_endpoint_says_who_and_where_it_is(slices: Any, build: Any) -> None:
    """S-142."""
    web = slices()
    web.store.create(NODES, build.node("node-1", labels={ZONE: "zone-a"}))
    pod = build.pod("a", ip="10.244.1.2", labels=WEB, spec={"hostname": "a", "subdomain": "web"})
    web.add(pod).look()
    assert web.endpoints == [
        {
            "addresses": ["10.244.1.2"],
            "conditions": {"ready": True, "serving": True, "terminating": False},
            "hostname": "a",
            "nodeName": "node-1",
            "zone": "zone-a",
            "targetRef": {
                "kind": "Pod",
                "namespace": "default",
                "name": "a",
                "uid": pod["metadata"]["uid"],
            },
        }
    ]


def test_a_service_without_a_match_has_one_empty_slice_per_family(slices: Any) -> None:
    """S-51, S-138."""
    web = slices(ipFamilies=["IPv4", "IPv6"])
    web.look()
    assert [(s["addressType"], s["endpoints"], s["ports"]) for s in web.slices] == [
        ("IPv4", [], []),
        ("IPv6", [], []),
    ]
    version = web.store.version
    web.look()
    assert web.store.version == version


def test_the_empty_slice_becomes_the_first_real_one(slices: Any, build: Any) -> None:
    """S-144: one write, and the name stays."""
    web = slices()
    web.look()
    [empty] = web.slices
    web.add(build.pod("a", ip="10.244.1.2", labels=WEB))
    assert [type(write) for write in web.look()] == [Update]
    [held] = web.slices
    assert held["metadata"]["name"] == empty["metadata"]["name"]
    assert held["ports"] == [{"name": "", "protocol": "TCP", "port": 80}]


def test_pods_with_other_numbers_for_a_named_port_lie_in_other_slices(
    slices: Any, build: Any
) -> None:
    """S-17, S-137."""

    def pod(name: str, ip: str, number: int) -> Any:
        ports = [{"name": "http", "containerPort": number}]
        return build.pod(name, ip=ip, labels=WEB, containers=[{"name": "main", "ports": ports}])

    web = slices(ports=[{"name": "web", "port": 80, "targetPort": "http"}])
    web.add(pod("a", "10.244.1.2", 8080), pod("b", "10.244.1.3", 9090)).look()
    by_port = {s["ports"][0]["port"]: s["endpoints"][0]["addresses"] for s in web.slices}
    assert by_port == {8080: ["10.244.1.2"], 9090: ["10.244.1.3"]}


def test_a_pod_that_knows_no_named_port_is_there_without_ports(slices: Any, build: Any) -> None:
    """S-19."""
    web = slices(ports=[{"name": "web", "port": 80, "targetPort": "http"}])
    web.add(build.pod("a", ip="10.244.1.2", labels=WEB)).look()
    assert [(s["ports"], len(s["endpoints"])) for s in web.slices] == [([], 1)]


def test_a_not_ready_pod_stays_with_ready_false(slices: Any, build: Any) -> None:
    """S-143, P-151, S-154: also one that the node controller has set so."""
    web = slices().add(build.pod("a", ip="10.244.1.2", labels=WEB, ready=False))
    web.look()
    [held] = web.endpoints
    assert held["conditions"] == {"ready": False, "serving": False, "terminating": False}


def test_a_deleted_pod_is_terminating_at_once_and_gone_at_its_end(slices: Any, build: Any) -> None:
    """P-57, S-130, S-139."""
    web = slices().add(build.pod("a", ip="10.244.1.2", labels=WEB))
    web.look()
    web.store.delete(PODS, "a", "default")
    web.look()
    [held] = web.endpoints
    assert held["conditions"] == {"ready": False, "serving": True, "terminating": True}
    web.store.delete(PODS, "a", "default", grace_seconds=0)
    web.look()
    assert web.endpoints == []
    assert len(web.slices) == 1


def test_a_headless_service_says_so_on_its_slices(slices: Any, build: Any) -> None:
    """S-12."""
    web = slices(clusterIP="None").add(build.pod("a", ip="10.244.1.2", labels=WEB))
    web.look()
    assert web.slices[0]["metadata"]["labels"]["service.kubernetes.io/headless"] == ""


def test_a_headless_service_may_have_no_ports(slices: Any, build: Any) -> None:
    """S-11."""
    web = slices(clusterIP="None", ports=[]).add(build.pod("a", ip="10.244.1.2", labels=WEB))
    web.look()
    assert [(s["ports"], len(s["endpoints"])) for s in web.slices] == [([], 1)]


def test_a_service_without_selector_is_left_to_its_user(slices: Any) -> None:
    """S-13."""
    web = slices(selector=None)
    assert web.look() == []


def test_taking_the_selector_away_leaves_the_last_slices(slices: Any, build: Any) -> None:
    """S-151."""
    web = slices().add(build.pod("a", ip="10.244.1.2", labels=WEB))
    web.look()
    web.store.patch(SERVICES, "web", {"spec": {"selector": None}}, "default")
    assert web.look() == []
    assert web.addresses == {"10.244.1.2"}


def test_another_selector_moves_the_endpoints_at_once(slices: Any, build: Any) -> None:
    """S-151."""
    web = slices().add(
        build.pod("blue", ip="10.244.1.2", labels={"app": "web", "color": "blue"}),
        build.pod("green", ip="10.244.1.3", labels={"app": "web", "color": "green"}),
    )
    web.store.patch(SERVICES, "web", {"spec": {"selector": {"color": "blue"}}}, "default")
    web.look()
    assert web.addresses == {"10.244.1.2"}
    web.store.patch(SERVICES, "web", {"spec": {"selector": {"color": "green"}}}, "default")
    web.look()
    assert web.addresses == {"10.244.1.3"}


def test_a_label_takes_a_pod_out_without_a_restart(slices: Any, build: Any) -> None:
    """S-153: and the Service is looked at because it had the pod."""
    pod = build.pod("a", ip="10.244.1.2", labels=WEB)
    web = slices().add(pod)
    keys_of = endpointslice.controller().watches[PODS]
    changed = {**pod, "metadata": {**pod["metadata"], "labels": {"app": "debug"}}}
    assert list(keys_of(web.simulation.objects, pod, changed)) == [KEY]
    web.look()
    web.store.patch(PODS, "a", {"metadata": {"labels": {"app": "debug"}}}, "default")
    web.look()
    assert web.addresses == set()


def test_slices_of_others_are_not_touched(slices: Any, build: Any) -> None:
    """S-13, S-14: made by a user for the same Service, or for none."""
    web = slices()
    for name, labels in (("mine", {"kubernetes.io/service-name": "web"}), ("web-zzz", {})):
        metadata = {"name": name, "namespace": "default", "labels": labels}
        made = {"metadata": metadata, "addressType": "IPv4", "endpoints": [], "ports": []}
        web.store.create(ENDPOINT_SLICES, {"kind": "EndpointSlice", **made})
    web.add(build.pod("a", ip="10.244.1.2", labels=WEB))
    assert [type(write) for write in web.look()] == [Create]


def test_an_external_name_has_no_endpoints(slices: Any) -> None:
    """S-9."""
    assert slices(type="ExternalName", externalName="example.com").look() == []


def test_the_101st_pod_opens_a_second_slice(slices: Any, build: Any) -> None:
    """S-136."""
    web = slices()
    web.add(*(build.pod(f"p{n:03}", ip=f"10.244.1.{n + 2}", labels=WEB) for n in range(101)))
    web.look()
    assert sorted(len(s["endpoints"]) for s in web.slices) == [1, 100]


def test_changed_labels_of_the_service_reach_its_slices(slices: Any, build: Any) -> None:
    """S-134."""
    web = slices().add(build.pod("a", ip="10.244.1.2", labels=WEB))
    web.look()
    web.store.patch(SERVICES, "web", {"metadata": {"labels": {"team": "shop"}}}, "default")
    web.look()
    assert web.slices[0]["metadata"]["labels"]["team"] == "shop"


def test_hints_come_and_go_with_the_wish(slices: Any, build: Any) -> None:
    """S-75, S-83."""
    web = slices(trafficDistribution="PreferSameZone")
    web.store.create(NODES, build.node("node-1", labels={ZONE: "zone-a"}))
    web.add(build.pod("a", ip="10.244.1.2", labels=WEB)).look()
    assert web.endpoints[0]["hints"] == {"forZones": [{"name": "zone-a"}]}
    web.store.patch(SERVICES, "web", {"spec": {"trafficDistribution": None}}, "default")
    web.look()
    assert "hints" not in web.endpoints[0]


def test_a_changed_slice_and_a_nodes_zone_bring_the_service_back(build: Any, view: Views) -> None:
    service = build.service("web", selector=WEB)
    watches = endpointslice.controller().watches
    held = view(service).objects
    labels = {
        "kubernetes.io/service-name": "web",
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    touched = {"metadata": {"name": "web-x", "namespace": "default", "labels": labels}}
    assert list(watches[ENDPOINT_SLICES](held, touched, None)) == [KEY]
    before, after = build.node("node-1"), build.node("node-1", labels={ZONE: "zone-a"})
    assert list(watches[NODES](held, before, after)) == [KEY]
    assert list(watches[NODES](held, after, after)) == []


def test_a_heartbeat_of_a_pod_concerns_nobody(build: Any, view: Views) -> None:
    service = build.service("web", selector=WEB)
    pod = build.pod("a", ip="10.244.1.2", labels=WEB)
    status = {**pod["status"], "containerStatuses": [{"restartCount": 1}]}
    keys_of = endpointslice.controller().watches[PODS]
    assert list(keys_of(view(service).objects, pod, {**pod, "status": status})) == []
    assert list(keys_of(view(service).objects, None, pod)) == [key_of(SERVICES, service)]


steps = st.lists(
    st.tuples(st.sampled_from(["add", "drop", "ready", "unready", "look"]), st.integers(0, 9)),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(steps=steps)
def test_slices_show_exactly_the_pods_after_any_history(
    new_simulation: Any, build: Any, steps: list[tuple[str, int]]
) -> None:
    """S-139, S-140, S-144."""
    web = Slices(new_simulation(), build.service("web", selector=WEB))
    for what, number in steps:
        name = f"p{number}"
        known = Key(PODS, "default", name) in web.store.objects
        if what == "look":
            web.look()
        elif what == "add" and not known:
            web.add(build.pod(name, ip=f"10.244.1.{number + 2}", labels=WEB, ready=False))
        elif what == "drop" and known:
            web.store.delete(PODS, name, "default", grace_seconds=0)
        elif known:
            conditions = [{"type": "Ready", "status": str(what == "ready")}]
            web.store.patch(PODS, name, {"status": {"conditions": conditions}}, "default", "status")
    web.look()
    shown = {e["targetRef"]["name"]: e["conditions"]["ready"] for e in web.endpoints}
    wished = {
        pod["metadata"]["name"]: pod["status"]["conditions"][0]["status"] == "True"
        for pod in web.store.all(PODS)
    }
    assert shown == wished
    assert len(web.endpoints) == len(wished)
    assert web.look() == []
