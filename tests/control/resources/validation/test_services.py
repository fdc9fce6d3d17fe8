"""Services: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.strategies.services import with_service_defaults
from control.resources.validation.services import service_causes, service_update_causes


def told(**spec: Any) -> list[str]:
    """The causes of a Service with one port, completed as the server does."""
    document = with_service_defaults({"spec": {"ports": [{"port": 80}], **spec}})
    return [f"{each.field}: {each.message}" for each in service_causes(document)]


def told_of_update(new: dict[str, Any], old: dict[str, Any]) -> list[str]:
    causes = service_update_causes({"spec": new}, {"spec": old})
    return [f"{each.field}: {each.message}" for each in causes]


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]},
        {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.0/8"]},
        {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30001},
        {"type": "LoadBalancer", "loadBalancerClass": "example.com/lb"},
        {"type": "ExternalName", "externalName": "example.com.", "ports": []},
        {"type": "ExternalName", "externalName": "example.com"},
        {"clusterIP": "None", "ports": []},
        {"clusterIP": "10.96.0.9", "ipFamilies": ["IPv4"]},
        {"sessionAffinity": "ClientIP"},
        {"externalIPs": ["203.0.113.9"], "externalTrafficPolicy": "Local"},
        {"ports": [{"name": "a", "port": 53}, {"name": "b", "port": 53, "protocol": "UDP"}]},
        {"trafficDistribution": "PreferSameNode"},
    ],
)
def test_what_is_fine(spec: dict[str, Any]) -> None:
    """S-8, S-9, S-11, S-17, S-74: none of these is refused."""
    assert told(**spec) == []


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort", "LoadBalancer"])
def test_a_service_has_ports_unless_it_is_headless_or_external(kind: str) -> None:
    """S-11, S-156."""
    assert told(type=kind, ports=[]) == ["spec.ports: Required value"]


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_only_a_cluster_ip_service_is_headless(kind: str) -> None:
    """S-11, S-161."""
    assert told(type=kind, clusterIP="None") == [
        f"spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for {kind} services"
    ]


def test_several_ports_have_different_names_and_numbers() -> None:
    """S-157, S-158."""
    assert told(ports=[{"port": 80}, {"port": 81, "name": "a"}]) == [
        "spec.ports[0].name: Required value"
    ]
    twice = [{"port": 80, "name": "a"}, {"port": 80, "name": "a"}]
    assert told(ports=twice) == [
        'spec.ports[1].name: Duplicate value: "a"',
        'spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}',
    ]
    (cause,) = told(ports=[{"port": 80, "name": "a.b"}, {"port": 81, "name": "b"}])
    assert cause.startswith(
        'spec.ports[0].name: Invalid value: "a.b": a lowercase RFC 1123 label must consist of'
    )
    (cause,) = told(ports=[{"port": 80, "name": "a" * 64}, {"port": 81, "name": "b"}])
    assert cause.endswith("must be no more than 63 bytes")


@pytest.mark.parametrize("number", [-1, 0, 65536])
def test_ports_are_numbers_in_range(number: int) -> None:
    """S-155."""
    words = f"Invalid value: {number}: must be between 1 and 65535, inclusive"
    assert told(ports=[{"port": number, "targetPort": 1}]) == [f"spec.ports[0].port: {words}"]
    if number:  # 0 is "the same as port"
        assert told(ports=[{"port": 80, "targetPort": number}]) == [
            f"spec.ports[0].targetPort: {words}"
        ]
    for edge in (1, 65535):
        assert told(ports=[{"port": edge, "targetPort": edge}]) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a" * 16, ["must be no more than 15 characters"]),
        ("Web", ["must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"]),
        ("80", ["must contain at least one letter (a-z)"]),
        ("a--b", ["must not contain consecutive hyphens"]),
        ("-a", ["must not begin or end with a hyphen"]),
    ],
)
def test_a_target_port_by_name(name: str, words: list[str]) -> None:
    """S-159."""
    path = "spec.ports[0].targetPort"
    assert told(ports=[{"port": 80, "targetPort": name}]) == [
        f'{path}: Invalid value: "{name}": {each}' for each in words
    ]
    for fine in ("a", "a" * 15, "http-8080", "8080x"):
        assert told(ports=[{"port": 80, "targetPort": fine}]) == []


def test_ports_are_of_a_known_protocol() -> None:
    """S-2, S-160."""
    assert told(ports=[{"port": 80, "protocol": "ICMP"}]) == [
        'spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'
    ]
    assert told(ports=[{"port": 80, "appProtocol": "a b"}])[0].startswith("spec.ports[0].appPro")


def test_a_cluster_ip_service_has_no_node_port() -> None:
    """S-31."""
    assert told(ports=[{"port": 80, "nodePort": 30080}]) == [
        "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"
    ]


def test_a_node_port_is_named_once_for_a_protocol() -> None:
    """S-29."""
    ports = [
        {"name": "a", "port": 80, "nodePort": 30080},
        {"name": "b", "port": 81, "nodePort": 30080},
    ]
    assert told(type="NodePort", ports=ports) == ["spec.ports[1].nodePort: Duplicate value: 30080"]


def test_an_external_name_is_a_name_and_has_no_address() -> None:
    """S-9, S-162."""
    assert told(type="ExternalName") == ["spec.externalName: Required value"]
    assert told(type="ExternalName", externalName="a", clusterIP="10.96.0.9") == [
        "spec.clusterIPs: Forbidden: may not be set for ExternalName services"
    ]
    families = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
    assert told(type="ExternalName", externalName="a", **families) == [
        "spec.ipFamilies: Forbidden: may not be set for ExternalName services",
        "spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services",
    ]
    (cause,) = told(type="ExternalName", externalName="A_")
    assert cause.startswith('spec.externalName: Invalid value: "A_": a lowercase RFC 1123 subdom')


def test_affinity_and_its_timeout() -> None:
    """S-72."""
    path = "spec.sessionAffinityConfig.clientIP.timeoutSeconds"
    for seconds in (0, 86401):
        config = {"clientIP": {"timeoutSeconds": seconds}}
        assert told(sessionAffinity="ClientIP", sessionAffinityConfig=config) == [
            f"{path}: Invalid value: {seconds}: must be greater than 0 and less than 86400"
        ]
    assert told(sessionAffinityConfig={"clientIP": {"timeoutSeconds": 5}}) == [
        "spec.sessionAffinityConfig: Forbidden: must not be set when session affinity is None"
    ]


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        ({"type": "X"}, ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")),
        ({"sessionAffinity": "X"}, ("ClientIP", "None")),
        ({"internalTrafficPolicy": "X"}, ("Cluster", "Local")),
        ({"type": "NodePort", "externalTrafficPolicy": "X"}, ("Cluster", "Local")),
        ({"trafficDistribution": "X"}, ("PreferClose", "PreferSameNode", "PreferSameZone")),
        ({"ipFamilyPolicy": "X"}, ("PreferDualStack", "RequireDualStack", "SingleStack")),
    ],
)
def test_values_of_closed_sets(spec: dict[str, Any], known: tuple[str, ...]) -> None:
    """S-74, S-160."""
    key = list(spec)[-1]
    listed = ", ".join(f'"{each}"' for each in known)
    assert told(**spec) == [f'spec.{key}: Unsupported value: "X": supported values: {listed}']


def test_addresses_agree_with_each_other_and_with_the_families() -> None:
    """S-36, S-48, S-53, S-165."""
    both = ["10.96.0.9", "10.96.0.8"]
    (first, second) = told(clusterIP="10.96.0.9", clusterIPs=both)
    assert first.endswith("may specify no more than one IP for each IP family")
    assert second == (
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or "
        "'PreferDualStack' when multiple cluster IPs are specified"
    )
    assert told(clusterIP="10.96.0.9", clusterIPs=["10.96.0.8"]) == [
        'spec.clusterIPs: Invalid value: ["10.96.0.8"]: first value must match `clusterIP`'
    ]
    assert told(clusterIP="x") == [
        'spec.clusterIPs[0]: Invalid value: "x": '
        "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    ]
    assert told(clusterIP="10.96.0.9", ipFamilies=["IPv6"])[0].startswith("spec.clusterIPs[0]: ")
    assert told(ipFamilies=["IPv4", "IPv4"])[0] == 'spec.ipFamilies[1]: Duplicate value: "IPv4"'
    assert told(ipFamilies=["IPv5"])[0].startswith("spec.ipFamilies[0]: Unsupported value")
    many = ["10.96.0.9", "fd00::1", "fd00::2"]
    dual = {"ipFamilyPolicy": "RequireDualStack"}
    assert told(clusterIP=many[0], clusterIPs=many, **dual)[0] == (
        'spec.clusterIPs: Invalid value: ["10.96.0.9","fd00::1","fd00::2"]: '
        "may only hold up to 2 values"
    )
    assert told(clusterIP=many[0], clusterIPs=many[:2], **dual) == []
    assert told(clusterIP="None", clusterIPs=["None", "10.96.0.9"]) == [
        'spec.clusterIPs: Invalid value: ["None","10.96.0.9"]: '
        "'None' must be the first and only value"
    ]
    (cause,) = told(clusterIP="10.96.0.9", clusterIPs=["10.96.0.9", "None"], **dual)
    assert cause.startswith('spec.clusterIPs[1]: Invalid value: "None": must be a valid IP address')


@pytest.mark.parametrize(
    ("ip", "words"),
    [
        ("0.0.0.0", "may not be unspecified (0.0.0.0)"),
        ("127.0.0.1", "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        ("169.254.1.1", "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        ("224.0.0.1", "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
        ("x", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
    ],
)
def test_an_external_address_is_somebodys(ip: str, words: str) -> None:
    """S-97."""
    assert told(externalIPs=[ip]) == [f'spec.externalIPs[0]: Invalid value: "{ip}": {words}']


def test_what_only_load_balancers_have() -> None:
    """S-7, S-112, S-116."""
    words = "Forbidden: may only be used when `type` is 'LoadBalancer'"
    assert told(loadBalancerSourceRanges=["10.0.0.0/8"]) == [
        f"spec.LoadBalancerSourceRanges: {words}"
    ]
    assert told(allocateLoadBalancerNodePorts=True) == [
        f"spec.allocateLoadBalancerNodePorts: {words}"
    ]
    assert told(loadBalancerClass="example.com/lb") == [f"spec.loadBalancerClass: {words}"]
    (cause,) = told(type="LoadBalancer", loadBalancerSourceRanges=["10.0.0.0"])
    assert cause.startswith("spec.LoadBalancerSourceRanges[0]: Invalid value")


def test_what_only_services_reached_from_outside_have() -> None:
    """S-6, S-43, S-163, S-164."""
    assert told(externalTrafficPolicy="Local") == [
        'spec.externalTrafficPolicy: Invalid value: "Local": '
        "may only be set for externally-accessible services"
    ]
    local = {"externalTrafficPolicy": "Local"}
    for spec in ({"type": "LoadBalancer"}, {"type": "NodePort", **local}, {}):
        assert told(**spec, healthCheckNodePort=30001) == [
            "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is "
            "'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        ]


HELD = {"type": "ClusterIP", "clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"]}


def test_an_address_is_for_life() -> None:
    """S-37, S-165."""
    moved = {**HELD, "clusterIP": "10.96.0.8", "clusterIPs": ["10.96.0.8"]}
    assert told_of_update(moved, HELD) == [
        'spec.clusterIPs[0]: Invalid value: ["10.96.0.8"]: may not change once set'
    ]
    assert told_of_update({"type": "ClusterIP"}, HELD) == [
        "spec.clusterIPs[0]: Invalid value: null: primary clusterIP can not be unset"
    ]
    assert told_of_update(HELD, HELD) == []
    headless = {**HELD, "clusterIP": "None", "clusterIPs": ["None"]}
    assert told_of_update(headless, HELD)[0].startswith("spec.clusterIPs[0]: Invalid value")


def test_unless_the_service_becomes_or_was_an_external_name() -> None:
    """S-37."""
    external = {"type": "ExternalName", "externalName": "a"}
    assert told_of_update(external, HELD) == []
    assert told_of_update(HELD, external) == []


def test_the_first_family_is_for_life() -> None:
    """S-48."""
    old, new = {**HELD, "ipFamilies": ["IPv4"]}, {**HELD, "ipFamilies": ["IPv6"]}
    assert told_of_update(new, old) == [
        'spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set'
    ]


def test_a_load_balancers_class_and_health_port_are_for_life() -> None:
    """S-43, S-112, S-164."""
    old = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "healthCheckNodePort": 30001}
    assert told_of_update({**old, "healthCheckNodePort": 30002}, old) == [
        "spec.healthCheckNodePort: Forbidden: field is immutable"
    ]
    assert told_of_update({**old, "loadBalancerClass": "a/b"}, old) == [
        'spec.loadBalancerClass: Invalid value: "a/b": may not change once set'
    ]
    changed = {**old, "loadBalancerClass": "a/b"}
    assert told_of_update(changed, {**old, "type": "NodePort"}) == []
