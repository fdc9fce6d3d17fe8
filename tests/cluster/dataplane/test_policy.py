from ipaddress import ip_address, ip_network
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.dataplane.decision import Code, Deliver, Local
from cluster.dataplane.node_view import NodeView
from cluster.dataplane.policy import NEAR_MISSES_MAX, Party, PolicyVerdict
from cluster.objects.networking import PolicyType
from cluster.wire.addresses import Protocol

INGRESS, EGRESS = PolicyType.INGRESS, PolicyType.EGRESS
WEB, DB, CLIENT = "10.244.1.10", "10.244.1.11", "10.244.2.12"  # default, default, other
OUTSIDE = "203.0.113.7"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def documents(make: Any) -> list[Document]:
    ports = [
        {"name": "http", "containerPort": 8080, "protocol": "TCP"},
        {"name": "dns", "containerPort": 53, "protocol": "UDP"},
    ]
    return [
        make.namespace("default", team="a"),
        make.namespace("other", team="b"),
        make.pod("web", WEB, labels={"app": "web"}, ports=ports),
        make.pod("db", DB, labels={"app": "db"}),
        make.pod("client", CLIENT, namespace="other", labels={"app": "client"}),
    ]


def judge(
    view: NodeView,
    source: str,
    target: str,
    port: int = 8080,
    protocol: str = "TCP",
    direction: PolicyType = INGRESS,
) -> PolicyVerdict:
    mine, peer = (target, source) if direction is INGRESS else (source, target)
    pod = view.pods.at(mine)
    assert pod is not None
    party = Party(peer, view.pods.at(peer))
    return view.policies.judge(direction, pod, party, port, Protocol(protocol))


@pytest.fixture(scope="module")
def allowed(make: Any, documents: list[Document]) -> Any:
    """Who of db, client and the outside may reach web, under these policies."""

    def ask(*policies: Document, port: int = 8080, protocol: str = "TCP") -> set[str]:
        view = make.view(*documents, *policies)
        names = {DB: "db", CLIENT: "client", OUTSIDE: "outside"}
        return {name for ip, name in names.items() if judge(view, ip, WEB, port, protocol).allowed}

    return ask


@pytest.fixture(scope="module")
def egress(make: Any, documents: list[Document]) -> Any:
    """Whom of db, client and the outside web may reach."""

    def ask(*policies: Document, port: int = 8080, protocol: str = "TCP") -> set[str]:
        view = make.view(*documents, *policies)
        names = {DB: "db", CLIENT: "client", OUTSIDE: "outside"}
        return {
            name
            for ip, name in names.items()
            if judge(view, WEB, ip, port, protocol, EGRESS).allowed
        }

    return ask


ALL = {"db", "client", "outside"}
APP = {"matchLabels": {"app": "web"}}
FROM_DB = {"podSelector": {"matchLabels": {"app": "db"}}}
FROM_CLIENT = {"namespaceSelector": {"matchLabels": {"team": "b"}}}


def test_a_pod_that_no_policy_selects_is_open(make: Any, documents: Any, allowed: Any) -> None:
    """N-11, N-1, N-18; O-7."""
    other = make.policy("p", pods={"matchLabels": {"app": "db"}})
    elsewhere = make.policy("p", namespace="other")
    assert allowed() == allowed(other, elsewhere) == ALL
    verdict = judge(make.view(*documents), DB, WEB)
    assert verdict.reason == "allowed: no policy selects default/web for ingress"


@pytest.mark.parametrize("spec", [{}, {"ingress": []}, {"policyTypes": ["Ingress"]}])
def test_default_deny_refuses_every_source(make: Any, allowed: Any, spec: Document) -> None:
    """N-28, N-71, N-12, N-2."""
    assert allowed(make.policy("deny", **spec)) == set()


@pytest.mark.parametrize(
    ("ingress", "who"),
    [
        ([{}], ALL),
        ([{"from": []}], ALL),
        ([{"from": [FROM_DB]}], {"db"}),
        ([{"from": [{"podSelector": {}}]}], {"db"}),
        ([{"from": [{"namespaceSelector": {}}]}], {"db", "client"}),
        ([{"from": [FROM_CLIENT]}], {"client"}),
        ([{"from": [FROM_DB, FROM_CLIENT]}], {"db", "client"}),
        ([{"from": [FROM_DB]}, {"from": [FROM_CLIENT]}], {"db", "client"}),
        ([{"from": [{**FROM_DB, **FROM_CLIENT}]}], set()),
        ([{"from": [{"podSelector": {}, **FROM_CLIENT}]}], {"client"}),
        ([{"from": [{"podSelector": {"matchLabels": {"app": "nobody"}}}]}], set()),
        ([{"from": [{"namespaceSelector": {"matchLabels": {
            "kubernetes.io/metadata.name": "other"}}}]}], {"client"}),
        ([{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}], {"outside"}),
        ([{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}], ALL),
        ([{"from": [{"ipBlock": {"cidr": "::/0"}}]}], set()),
        ([{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]}}]}],
         {"outside"}),
        ([{"from": [{"ipBlock": {"cidr": f"{DB}/32"}}]}], {"db"}),
        ([{"from": [{"ipBlock": {"cidr": "10.244.0.0/16", "except": [f"{DB}/32"]}},
                    {"ipBlock": {"cidr": f"{DB}/31"}}]}], {"db", "client"}),
    ],
)  # fmt: skip
def test_peers_select_who_may_come(
    make: Any, allowed: Any, ingress: list[Document], who: set[str]
) -> None:
    """N-20, N-29, N-30, N-32, N-33, N-34, N-35, N-36, N-40, N-41, N-52, N-54, N-55, N-56, N-78,
    N-141."""
    assert allowed(make.policy("p", pods=APP, ingress=ingress)) == who


@pytest.mark.parametrize(
    ("ports", "port", "protocol", "opens"),
    [
        ([], 1, "UDP", True),
        ([{}], 1, "TCP", True),
        ([{}], 1, "UDP", False),
        ([{"protocol": "UDP"}], 1, "UDP", True),
        ([{"protocol": "UDP"}], 1, "TCP", False),
        ([{"protocol": "TCP", "port": 80}], 80, "TCP", True),
        ([{"protocol": "TCP", "port": 80}], 80, "UDP", False),
        ([{"port": 80}], 81, "TCP", False),
        ([{"port": 80}, {"port": 81}], 81, "TCP", True),
        ([{"port": 80, "endPort": 90}], 80, "TCP", True),
        ([{"port": 80, "endPort": 90}], 90, "TCP", True),
        ([{"port": 80, "endPort": 90}], 91, "TCP", False),
        ([{"port": 80, "endPort": 80}], 81, "TCP", False),
        ([{"port": "http"}], 8080, "TCP", True),
        ([{"port": "http"}], 80, "TCP", False),
        ([{"port": "http", "protocol": "UDP"}], 8080, "UDP", False),
        ([{"port": "dns", "protocol": "UDP"}], 53, "UDP", True),
        ([{"port": "nowhere"}], 8080, "TCP", False),
        ([{"port": 132, "protocol": "SCTP"}], 132, "SCTP", True),
        ([{"port": 132, "protocol": "SCTP"}], 132, "TCP", False),
    ],
)
def test_ports_select_where_to(
    make: Any, allowed: Any, ports: list[Document], port: int, protocol: str, opens: bool
) -> None:
    """N-6, N-27, N-31, N-37, N-38, N-39, N-44, N-45, N-47, N-48, N-49, N-82, N-147."""
    rule = {"ports": ports} if ports else {}
    found = allowed(make.policy("p", pods=APP, ingress=[rule]), port=port, protocol=protocol)
    assert found == (ALL if opens else set())


def test_a_rule_needs_one_peer_and_one_port(make: Any, allowed: Any) -> None:
    """N-19."""
    policy = make.policy("p", ingress=[{"from": [FROM_DB], "ports": [{"port": 80}]}])
    assert allowed(policy, port=80) == {"db"}
    assert allowed(policy, port=81) == set()


def test_policies_add_up_and_never_take_away(make: Any, allowed: Any) -> None:
    """N-7, N-13, N-17, N-76, N-77."""
    a80 = make.policy("a", ingress=[{"from": [FROM_DB], "ports": [{"port": 80}]}])
    b81 = make.policy("b", ingress=[{"from": [FROM_CLIENT], "ports": [{"port": 81}]}])
    assert allowed(a80, b81, port=80) == {"db"}
    assert allowed(a80, b81, port=81) == {"client"}
    deny, open_ = make.policy("deny"), make.policy("open", ingress=[{}])
    assert allowed(deny, open_) == ALL


def test_the_directions_are_independent(make: Any, allowed: Any, egress: Any) -> None:
    """N-3, N-4, N-5, N-12, N-142."""
    ingress_only = make.policy("p", egress=[])
    assert allowed(ingress_only) == set() and egress(ingress_only) == ALL
    egress_only = make.policy("p", policyTypes=["Egress"], ingress=[])
    assert allowed(egress_only) == ALL and egress(egress_only) == set()
    with_egress_rule = make.policy("p", egress=[{"to": [FROM_DB]}])
    assert allowed(with_egress_rule) == set(), "an egress section isolates ingress as well"
    assert egress(with_egress_rule) == {"db"}


def test_containers_of_one_pod_have_one_policy(make: Any, documents: Any) -> None:
    """N-51: whichever container has the port, the pod's policies decide."""
    pod = make.pod("web", WEB, labels={"app": "web"})
    pod["spec"]["containers"] = [
        {"name": name, "ports": [{"name": name, "containerPort": port, "protocol": "TCP"}]}
        for name, port in (("front", 90), ("back", 95))
    ]
    view = make.view(*documents, pod, make.policy("p", pods=APP, ingress=[{"from": [FROM_DB]}]))
    for port in (90, 95):
        assert judge(view, DB, WEB, port).allowed and not judge(view, CLIENT, WEB, port).allowed
    named = make.policy("q", pods=APP, ingress=[{"ports": [{"port": "back"}]}])
    both = make.with_documents(view, named)
    reached = [port for port in (90, 95) if judge(both, CLIENT, WEB, port).allowed]
    assert reached == [95], "a port has a name in its container, and rights in its pod"


def test_egress_names_ports_of_the_destination_pod(make: Any, documents: Any) -> None:
    """N-44, N-46, N-81: each pod on its own number, and never through an ipBlock."""
    named = [{"name": "serve", "containerPort": 81, "protocol": "TCP"}]
    db = make.pod("db", DB, labels={"app": "db"}, ports=named)
    other = [{"name": "serve", "containerPort": 82, "protocol": "TCP"}]
    client = make.pod("client", CLIENT, namespace="other", ports=other)
    ports = [{"port": "serve"}]
    view = make.view(*documents, db, client)
    by_selector = make.policy(
        "p", policyTypes=["Egress"], egress=[{"to": [{"namespaceSelector": {}}], "ports": ports}]
    )
    open_view = make.with_documents(view, by_selector)
    reached = {
        (ip, port)
        for ip, port in product((DB, CLIENT), (81, 82))
        if judge(open_view, WEB, ip, port, "TCP", EGRESS).allowed
    }
    assert reached == {(DB, 81), (CLIENT, 82)}
    blocks = [{"ipBlock": {"cidr": "0.0.0.0/0"}}]
    by_block = make.policy("p", policyTypes=["Egress"], egress=[{"to": blocks, "ports": ports}])
    block_view = make.with_documents(view, by_block)
    assert not judge(block_view, WEB, DB, 81, "TCP", EGRESS).allowed
    assert not judge(block_view, WEB, OUTSIDE, 81, "TCP", EGRESS).allowed
    everybody = make.policy("p", policyTypes=["Egress"], egress=[{"ports": ports}])
    assert judge(make.with_documents(view, everybody), WEB, DB, 81, "TCP", EGRESS).allowed


def test_a_number_beside_a_name_still_opens_a_block(make: Any, egress: Any) -> None:
    """N-46 is about the name; N-20: the ports are ORed."""
    rule = {"to": [{"ipBlock": {"cidr": "203.0.113.0/24"}}], "ports": [{"port": "x"}, {"port": 80}]}
    assert egress(make.policy("p", policyTypes=["Egress"], egress=[rule]), port=80) == {"outside"}


def test_labels_that_change_change_who_may_come(make: Any, documents: Any) -> None:
    """N-24, N-79, N-80."""
    by_pod = make.policy("p", ingress=[{"from": [FROM_DB]}])
    by_namespace = make.policy("q", ingress=[{"from": [FROM_CLIENT]}])
    view = make.view(*documents, by_pod, by_namespace)
    assert judge(view, DB, WEB).allowed and judge(view, CLIENT, WEB).allowed
    view = make.with_documents(
        view, make.pod("db", DB, labels={"app": "x"}), make.namespace("other", team="c")
    )
    assert not judge(view, DB, WEB).allowed and not judge(view, CLIENT, WEB).allowed
    view = make.without(view, make.namespace("other", team="c"))
    view = make.with_documents(view, make.namespace("other", team="b"))
    assert judge(view, CLIENT, WEB).allowed


def test_a_pod_that_gets_or_loses_a_label_is_selected_anew(make: Any, documents: Any) -> None:
    """N-24: and what was remembered of the old labels does not stick."""
    view = make.view(*documents, make.policy("p", pods=APP))
    assert not judge(view, DB, WEB).allowed
    freed = make.with_documents(view, make.pod("web", WEB, labels={"app": "free"}))
    assert judge(freed, DB, WEB).allowed
    assert not judge(view, DB, WEB).allowed, "the old view is what it was"


def test_what_is_remembered_of_one_set_of_labels_is_not_told_of_another(
    make: Any, documents: Any
) -> None:
    """N-24: whoever is asked for first."""
    bare = "10.244.1.12"
    for order in ((WEB, bare), (bare, WEB), (WEB, DB, bare)):
        view = make.view(*documents, make.pod("bare", bare), make.policy("p", pods=APP))
        allowed = {target: judge(view, CLIENT, target).allowed for target in order}
        assert allowed[WEB] is False and allowed[bare] is True


def test_label_sets_are_remembered_up_to_a_bound(
    make: Any, documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.dataplane.policy.LABEL_SETS_MAX", 2)
    view = make.view(*documents, make.policy("p", pods=APP))
    for number in range(20):
        view = make.with_documents(view, make.pod("db", DB, labels={"n": str(number)}))
        assert judge(view, CLIENT, DB).allowed and not judge(view, CLIENT, WEB).allowed
    held = view.policies.by_namespace.get("default")
    assert held is not None and 0 < len(held.selected) <= 2


def test_deleting_the_last_policy_opens_the_pod(make: Any, documents: Any) -> None:
    """N-18."""
    deny = make.policy("deny")
    view = make.view(*documents, deny)
    assert not judge(view, DB, WEB).allowed
    assert judge(make.without(view, deny), DB, WEB).allowed
    assert len(make.without(view, deny).policies.by_namespace) == 0


def test_a_reused_address_inherits_no_right(make: Any, documents: Any) -> None:
    """N-88, N-25."""
    view = make.view(*documents, make.policy("p", ingress=[{"from": [FROM_DB]}]))
    view = make.with_documents(
        view,
        make.pod("db", DB, labels={"app": "db"}, phase="Succeeded"),
        make.pod("new", DB, labels={"app": "new"}),
    )
    assert not judge(view, DB, WEB).allowed


def test_an_unknown_namespace_still_has_its_name(make: Any, documents: Any) -> None:
    """N-40: a pod may be heard of before its namespace."""
    named = {"matchLabels": {"kubernetes.io/metadata.name": "late"}}
    policy = make.policy("p", ingress=[{"from": [{"namespaceSelector": named}]}])
    late = make.pod("late", "10.244.2.99", namespace="late")
    assert judge(make.view(*documents, policy, late), "10.244.2.99", WEB).allowed


def test_the_rule_that_allows_is_named(make: Any, documents: Any) -> None:
    """O-7."""
    rules = [{"ports": [{"port": 1}]}, {"from": [FROM_DB]}]
    verdict = judge(make.view(*documents, make.policy("open", ingress=rules)), DB, WEB)
    assert verdict.reason == "allowed: default/open, rule 1"
    assert verdict.policy is not None and verdict.policy.meta.name == "open"
    assert verdict.rule == 1


def test_a_denial_names_the_policies_that_isolate_and_the_pod(make: Any, documents: Any) -> None:
    """O-8, N-12: no single rule denies."""
    view = make.view(*documents, make.policy("deny"), make.policy("also", pods=APP))
    verdict = judge(view, CLIENT, WEB)
    assert [str(each) for each in verdict.isolating] == ["default/also", "default/deny"]
    assert verdict.reason == (
        "denied: default/also, default/deny select default/web, and no rule allows ingress "
        "from other/client on TCP 8080"
    )


def test_a_denial_says_what_would_have_allowed_it(make: Any, documents: Any) -> None:
    rules = [
        {"from": [FROM_CLIENT], "ports": [{"port": 80}]},
        {"from": [FROM_DB], "ports": [{"port": 8080}]},
        {"from": [FROM_DB], "ports": [{"port": 9}]},
        {"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]},
    ]
    verdict = judge(make.view(*documents, make.policy("p", ingress=rules)), CLIENT, WEB)
    assert verdict.near_misses == (
        "default/p, rule 0: allows other/client on TCP 80, not on TCP 8080",
        "default/p, rule 1: allows TCP 8080 from pods app=db in default only",
        "default/p, rule 3: allows TCP 8080 from addresses in 203.0.113.0/24 only",
    )


def test_near_misses_are_bounded(make: Any, documents: Any) -> None:
    rules = [{"ports": [{"port": port}]} for port in range(1, 50)]
    verdict = judge(make.view(*documents, make.policy("p", ingress=rules)), CLIENT, WEB)
    assert len(verdict.near_misses) == NEAR_MISSES_MAX


# N-83: namespaces x, y, z by pods a, b, c, ports 80 and 81, three protocols, against the simplest
# evaluator that can be written down: straight from the documents, one sentence at a time.

NAMESPACES = {name: {"ns": name, "kubernetes.io/metadata.name": name} for name in "xyz"}
PODS = {
    f"10.244.1.{index}": (namespace, pod, {"pod": pod})
    for index, (namespace, pod) in enumerate(product("xyz", "abc"), start=2)
}
PORTS = [(80, "serve-80"), (81, "serve-81")]
PROTOCOLS = ["TCP", "UDP", "SCTP"]


def naive_selector(selector: Document, labels: Document) -> bool:
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for each in selector.get("matchExpressions", []):
        values, present = each.get("values", []), each["key"] in labels
        inside = present and labels[each["key"]] in values
        truth = {
            "In": inside,
            "NotIn": not inside,
            "Exists": present,
            "DoesNotExist": not present,
        }
        if not truth[each["operator"]]:
            return False
    return True


def naive_peer(peer: Document, policy: Document, ip: str) -> bool:
    if "ipBlock" in peer:
        block, address = peer["ipBlock"], ip_address(ip)
        excepted = any(address in ip_network(each) for each in block.get("except", []))
        return address in ip_network(block["cidr"]) and not excepted
    if ip not in PODS:
        return False
    namespace, _, labels = PODS[ip]
    if "namespaceSelector" in peer:
        if not naive_selector(peer["namespaceSelector"], NAMESPACES[namespace]):
            return False
    elif namespace != policy["metadata"]["namespace"]:
        return False
    return naive_selector(peer.get("podSelector", {}), labels)


def naive_port(entry: Document, port: int, protocol: str, target_is_pod: bool) -> bool:
    if entry.get("protocol", "TCP") != protocol:
        return False
    wanted = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, str):
        return target_is_pod and wanted == f"{dict(PORTS)[port]}-{protocol.lower()}"
    return wanted <= port <= entry.get("endPort", wanted)


def naive_allows(
    policies: list[Document], direction: str, mine: str, peer: str, port: int, protocol: str
) -> bool:
    namespace, _, labels = PODS[mine]
    section, peers = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    isolated = False
    for policy in policies:
        spec = policy["spec"]
        default = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
        if policy["metadata"]["namespace"] != namespace:
            continue
        if direction not in (spec.get("policyTypes") or default):
            continue
        if not naive_selector(spec["podSelector"], labels):
            continue
        isolated = True
        for rule in spec.get(section, []):
            for who, where in product(rule.get(peers) or [None], rule.get("ports") or [None]):
                named_block = (
                    direction == "Egress"
                    and who is not None
                    and where is not None
                    and "ipBlock" in who
                    and isinstance(where.get("port"), str)
                )
                target_is_pod = direction == "Ingress" or peer in PODS
                peer_fits = who is None or naive_peer(who, policy, peer)
                port_fits = where is None or naive_port(where, port, protocol, target_is_pod)
                if peer_fits and port_fits and not named_block:
                    return True
    return not isolated


def selectors(key: str, values: str) -> st.SearchStrategy[Document]:
    some = st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True)
    return st.one_of(
        st.just({}),
        st.sampled_from(values).map(lambda value: {"matchLabels": {key: value}}),
        st.builds(
            lambda operator, chosen: {
                "matchExpressions": [{"key": key, "operator": operator, "values": chosen}]
            },
            st.sampled_from(["In", "NotIn"]),
            some,
        ),
        st.sampled_from([key, "missing"]).map(
            lambda name: {"matchExpressions": [{"key": name, "operator": "Exists"}]}
        ),
        st.just({"matchExpressions": [{"key": "missing", "operator": "DoesNotExist"}]}),
    )


PEERS = st.one_of(
    selectors("pod", "abc").map(lambda pods: {"podSelector": pods}),
    selectors("ns", "xyz").map(lambda namespaces: {"namespaceSelector": namespaces}),
    st.builds(
        lambda pods, namespaces: {"podSelector": pods, "namespaceSelector": namespaces},
        selectors("pod", "abc"),
        selectors("ns", "xyz"),
    ),
    st.sampled_from(["0.0.0.0/0", "10.244.1.0/29", "10.244.1.4/32", "203.0.113.0/24"]).map(
        lambda cidr: {"ipBlock": {"cidr": cidr}}
    ),
    st.just({"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.1.2/31", "203.0.113.0/28"]}}),
)
PORT_ENTRIES = st.one_of(
    st.just({}),
    st.sampled_from(PROTOCOLS).map(lambda protocol: {"protocol": protocol}),
    st.builds(
        lambda protocol, port: {"protocol": protocol, "port": port},
        st.sampled_from(PROTOCOLS),
        st.sampled_from([80, 81, "serve-80-tcp", "serve-81-udp", "serve-81-sctp", "nowhere"]),
    ),
    st.just({"port": 79, "endPort": 80}),
)
RULES = st.lists(
    st.tuples(st.lists(PEERS, max_size=2), st.lists(PORT_ENTRIES, max_size=2)), max_size=2
)


@st.composite
def policies(draw: st.DrawFn) -> list[Document]:
    drawn = []
    for number in range(draw(st.integers(1, 4))):
        spec: Document = {"podSelector": draw(selectors("pod", "abc"))}
        types = draw(st.sampled_from([None, ["Ingress"], ["Egress"], ["Ingress", "Egress"]]))
        if types:
            spec["policyTypes"] = types
        for section, peers in (("ingress", "from"), ("egress", "to")):
            if draw(st.booleans()):
                rules = draw(RULES)
                spec[section] = [{peers: who, "ports": where} for who, where in rules]
        metadata = {"namespace": draw(st.sampled_from("xyz")), "name": f"p{number}"}
        drawn.append({"kind": "NetworkPolicy", "metadata": metadata, "spec": spec})
    return drawn


@pytest.fixture(scope="module")
def matrix(make: Any) -> NodeView:
    ports = [
        {"name": f"{name}-{protocol.lower()}", "containerPort": port, "protocol": protocol}
        for (port, name), protocol in product(PORTS, PROTOCOLS)
    ]
    return make.view(
        make.node("node-1"),
        *(make.namespace(name, ns=name) for name in "xyz"),
        *(
            make.pod(pod, ip, namespace=namespace, labels=labels, ports=ports)
            for ip, (namespace, pod, labels) in PODS.items()
        ),
    )


@settings(max_examples=60, deadline=None)
@given(policies(), st.sampled_from(PORTS), st.sampled_from(PROTOCOLS))
def test_the_whole_matrix_agrees_with_a_naive_evaluator(
    make: Any, matrix: NodeView, drawn: list[Document], port: tuple[int, str], protocol: str
) -> None:
    """N-13, N-19, N-20: each pair, both directions, the outside as well."""
    view, number = make.with_documents(matrix, *drawn), port[0]
    for mine, peer in product(PODS, [*PODS, "203.0.113.1", "203.0.113.99"]):
        for direction in (INGRESS, EGRESS):
            source, target = (peer, mine) if direction is INGRESS else (mine, peer)
            found = judge(view, source, target, number, protocol, direction)
            expected = naive_allows(drawn, str(direction), mine, peer, number, protocol)
            assert found.allowed is expected, (direction, mine, peer, found.reason)


def reaches(make: Any, view: NodeView, source: str, target: str, protocol: str) -> bool:
    """Whether a flow between pods of node-1 gets through both halves of the pipeline."""
    decision = make.decide(view, source, target, protocol=protocol)
    if isinstance(decision.verdict, Local):
        decision = make.admit(view, source, target, protocol=protocol)
    if isinstance(decision.verdict, Deliver):
        return True
    assert decision.steps[-1].code is Code.POLICY_DENIED
    return False


@settings(max_examples=40, deadline=None)
@given(policies(), st.sampled_from(PORTS), st.sampled_from(PROTOCOLS))
def test_a_connection_passes_where_its_two_sides_agree(
    make: Any, matrix: NodeView, drawn: list[Document], port: tuple[int, str], protocol: str
) -> None:
    """N-83, N-14: the source's egress and the target's ingress; a pod to itself always (N-63)."""
    view, number = make.with_documents(matrix, *drawn), port[0]
    for source, target in product(PODS, PODS):
        expected = source == target or (
            naive_allows(drawn, "Egress", source, target, number, protocol)
            and naive_allows(drawn, "Ingress", target, source, number, protocol)
        )
        found = reaches(make, view, source, f"{target}:{number}", protocol)
        assert found is expected, (source, target)


REQUIREMENTS = st.sampled_from(
    [
        {"key": "app", "operator": "In", "values": ["web"]},
        {"key": "app", "operator": "In", "values": ["web", "db"]},
        {"key": "tier", "operator": "In", "values": ["back"]},
        {"key": "tier", "operator": "NotIn", "values": ["back"]},
        {"key": "app", "operator": "Exists"},
        {"key": "tier", "operator": "DoesNotExist"},
    ]
)
POD_SELECTORS = st.fixed_dictionaries(
    {},
    optional={
        "matchLabels": st.sampled_from([{"app": "web"}, {"app": "db"}, {"tier": "back"}]),
        "matchExpressions": st.lists(REQUIREMENTS, max_size=2),
    },
)
LABEL_SETS = st.fixed_dictionaries(
    {}, optional={"app": st.sampled_from(["web", "db"]), "tier": st.sampled_from(["back", "front"])}
)
POLICY_CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["default", "other"]),
        st.sampled_from(["a", "b", "c"]),
        st.none() | POD_SELECTORS,
    ),
    max_size=12,
)


@given(changes=POLICY_CHANGES, labels=LABEL_SETS)
def test_the_policies_found_by_labels_are_those_that_select(
    make: Any, changes: list[tuple[str, str, Document | None]], labels: dict[str, str]
) -> None:
    """N-10, N-12: whatever came, changed and went before, and in the order of their names."""
    pod, view, held = make.pod("web", WEB, labels=labels), make.view(), dict[Any, Any]()
    view = make.with_documents(view, pod)
    for namespace, name, selector in changes:
        policy = make.policy(name, namespace=namespace, pods=selector or {})
        if selector is None:
            view = make.without(view, policy)
            held.pop((namespace, name), None)
        else:
            view = make.with_documents(view, policy)
            held[namespace, name] = view.policies.by_namespace[namespace].by_name[name]
        found = view.policies.isolating(view.pods.at(WEB), INGRESS)
        assert found == tuple(
            each
            for key, each in sorted(held.items())
            if key[0] == "default" and each.selector.matches(labels)
        )


def test_a_policy_that_reads_as_it_did_is_no_change(make: Any, documents: Any) -> None:
    policies = [make.policy("p", pods=APP), make.policy("q", namespace="other")]
    view = make.view(*documents, *policies)
    assert make.with_documents(view, *policies) is view
    moved = make.with_documents(view, make.policy("q", namespace="other", pods=APP))
    assert moved.policies.by_namespace["default"] is view.policies.by_namespace["default"]
