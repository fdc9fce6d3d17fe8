from typing import Any

from cluster.dataplane.node_view import NodeView
from cluster.dataplane.pod_table import pod_ref

IP = "10.244.1.2"


def name_at(view: NodeView, ip: str = IP) -> str:
    pod = view.pods.at(ip)
    return "" if pod is None else pod.meta.name


def test_a_pod_is_found_by_each_of_its_addresses(make: Any) -> None:
    """N-26, P-12."""
    pod = make.pod("a", IP)
    pod["status"]["podIPs"] = [{"ip": IP}, {"ip": "fd44::2"}]
    view = make.view(pod)
    assert name_at(view) == name_at(view, "fd44::2") == "a"


def test_a_finished_pod_has_no_address_any_more(make: Any) -> None:
    """P-16, P-157, N-25."""
    view = make.view(make.pod("a", IP, phase="Succeeded"))
    assert name_at(view) == ""
    finished = view.pods.finished_at(IP)
    assert finished is not None and finished.meta.name == "a"


def test_a_reused_address_is_the_new_pods_however_the_news_arrived(make: Any) -> None:
    """N-88, P-16: rights go with the pod, not with the address."""
    old = make.pod("old", IP, phase="Failed", created="2026-01-05T00:00:00Z")
    new = make.pod("new", IP, created="2026-01-01T00:00:00Z")
    for documents in ([old, new], [new, old]):
        assert name_at(make.view(*documents)) == "new"


def test_of_two_live_claims_the_younger_that_stays_wins(make: Any) -> None:
    leaving = make.pod("leaving", IP, created="2026-01-09T00:00:00Z", deleting=True)
    older = make.pod("older", IP, created="2026-01-01T00:00:00Z")
    younger = make.pod("younger", IP, created="2026-01-02T00:00:00Z")
    assert name_at(make.view(leaving, older)) == "older"
    assert name_at(make.view(younger, leaving, older)) == "younger"


def test_a_deleted_pod_gives_its_address_back(make: Any) -> None:
    view = make.without(make.view(make.pod("a", IP)), make.pod("a", IP))
    assert name_at(view) == "" and view.pods.finished_at(IP) is None
    assert len(view.pods.by_ip) == 0


def test_a_pod_whose_address_changes_is_found_at_the_new_one(make: Any) -> None:
    view = make.with_documents(make.view(make.pod("a", IP)), make.pod("a", "10.244.1.3"))
    assert name_at(view) == "" and name_at(view, "10.244.1.3") == "a"


def test_host_network_pods_are_not_found_by_address(make: Any) -> None:
    """N-65: their traffic is the node's."""
    mine = make.pod("mine", "172.30.0.1", host_network=True, node="node-1")
    other = make.pod("other", "172.30.0.2", host_network=True, node="node-2")
    view = make.view(mine, other)
    assert name_at(view, "172.30.0.1") == ""
    assert set(view.pods.host_pods) == {("default", "mine")}
    finished = make.pod("mine", "172.30.0.1", host_network=True, node="node-1", phase="Failed")
    assert len(make.with_documents(view, finished).pods.host_pods) == 0


def test_an_attached_pod_is_known_before_the_api_has_its_address(make: Any) -> None:
    """N-22: isolated before its containers start, and probed before its status is written."""
    view = make.view(make.pod("a", ""))
    assert name_at(view) == ""
    view = view.with_attached(IP, "default", "a")
    assert name_at(view) == "a"
    assert name_at(view.with_detached(IP)) == ""


def test_an_attachment_counts_for_more_than_a_status(make: Any) -> None:
    view = make.view(make.pod("stale", IP), make.pod("fresh", ""))
    assert name_at(view.with_attached(IP, "default", "fresh")) == "fresh"
    assert name_at(view.with_attached(IP, "default", "unheard-of")) == "stale"


def test_a_pod_is_found_by_the_name_an_origin_bears(make: Any) -> None:
    view = make.view(make.pod("a", IP, namespace="shop"))
    pod = view.pods.named("shop/a")
    assert pod is not None
    reference = pod_ref(pod, IP)
    assert (str(reference), reference.ip, reference.node) == ("shop/a", IP, "node-1")
    assert view.pods.named("shop/b") is None
