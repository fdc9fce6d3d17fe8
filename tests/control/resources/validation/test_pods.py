"""Pods: every refusal, with its field and words."""

from typing import Any

import pytest

from control.resources.validation.pod_updates import pod_update_causes
from control.resources.validation.pods import pod_causes, template_causes

CONTAINER: dict[str, Any] = {"name": "a", "image": "echo"}
RANGE = "must be between 1 and 65535, inclusive"


def told(*containers: dict[str, Any], **spec: Any) -> list[str]:
    held = {"containers": list(containers) or [CONTAINER], **spec}
    return [f"{each.field}: {each.message}" for each in pod_causes({"spec": held})]


def told_of(**container: Any) -> list[str]:
    """The causes of a pod whose only container has these fields, without the common path."""
    causes = told({**CONTAINER, **container})
    return [each.removeprefix("spec.containers[0].") for each in causes]


def port(number: Any = 80, **more: Any) -> dict[str, Any]:
    return {"containerPort": number, "protocol": "TCP", **more}


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"initContainers": [{"name": "init", "image": "echo"}], "restartPolicy": "Never"},
        {"hostname": "a", "subdomain": "b", "nodeName": "node-1", "nodeSelector": {"a": "b"}},
        {"dnsPolicy": "None", "dnsConfig": {"nameservers": ["10.96.0.10"]}},
        {"volumes": [{"name": "v", "emptyDir": {}}]},
        {"tolerations": [{"operator": "Exists"}, {"key": "a", "value": "b"}]},
        {"hostAliases": [{"ip": "10.0.0.1", "hostnames": ["x"]}]},
    ],
)
def test_what_is_fine(spec: dict[str, Any]) -> None:
    assert told(**spec) == []


def test_a_pod_has_containers_with_names_of_their_own() -> None:
    assert told(containers=[]) == ["spec.containers: Required value"]
    assert told(CONTAINER, CONTAINER) == ['spec.containers[1].name: Duplicate value: "a"']
    assert told(initContainers=[CONTAINER]) == ['spec.initContainers[0].name: Duplicate value: "a"']
    assert told({}) == [
        "spec.containers[0].name: Required value",
        "spec.containers[0].image: Required value",
    ]
    assert told_of(name="A")[0].startswith('name: Invalid value: "A": a lowercase RFC 1123 label')
    assert told_of(image=" x") == [
        'image: Invalid value: " x": must not have leading or trailing whitespace'
    ]


def test_closed_sets() -> None:
    """P-42."""
    assert told(restartPolicy="Maybe") == [
        'spec.restartPolicy: Unsupported value: "Maybe": '
        'supported values: "Always", "OnFailure", "Never"'
    ]
    assert told(dnsPolicy="Mine")[0].startswith('spec.dnsPolicy: Unsupported value: "Mine"')
    assert told_of(imagePullPolicy="Often")[0].startswith("imagePullPolicy: Unsupported value")


@pytest.mark.parametrize("number", [0, 65536, -1])
def test_ports_have_numbers_in_range(number: int) -> None:
    wrong = f"Invalid value: {number}: {RANGE}" if number else "Required value"
    assert told_of(ports=[port(number)]) == [f"ports[0].containerPort: {wrong}"]


def test_ports_have_names_and_protocols() -> None:
    assert told_of(ports=[port(name="http"), port(81, name="http")]) == [
        'ports[1].name: Duplicate value: "http"'
    ]
    assert told_of(ports=[port(name="UPPER")])[0].startswith("ports[0].name: Invalid value")
    assert told_of(ports=[port(protocol="ICMP")])[0].startswith("ports[0].protocol: Unsupported")
    assert told_of(ports=[port(hostPort=70000)]) == [
        f"ports[0].hostPort: Invalid value: 70000: {RANGE}"
    ]


def test_on_the_nodes_network_the_ports_agree() -> None:
    """P-29."""
    held = {**CONTAINER, "ports": [port(80, hostPort=81)]}
    assert told(held, hostNetwork=True) == [
        "spec.containers[0].ports[0].hostPort: Invalid value: 81: "
        "must match `containerPort` when `hostNetwork` is true"
    ]
    assert told(held) == []


def test_a_host_port_is_taken_once() -> None:
    """P-33."""
    assert told_of(ports=[port(80, hostPort=8080), port(81, hostPort=8080)]) == [
        'ports[1].hostPort: Duplicate value: "TCP//8080"'
    ]
    other = port(81, hostPort=8080, protocol="UDP")
    assert told_of(ports=[port(80, hostPort=8080), other]) == []


def test_volumes_and_mounts() -> None:
    mounted = {**CONTAINER, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    assert told(mounted, volumes=[{"name": "v", "emptyDir": {}}]) == []
    assert told(mounted) == ['spec.containers[0].volumeMounts[0].name: Not found: "v"']
    twice = {**CONTAINER, "volumeMounts": [{"name": "v", "mountPath": "/v"}] * 2}
    assert told(twice, volumes=[{"name": "v", "emptyDir": {}}]) == [
        'spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/v": must be unique'
    ]
    assert told(volumes=[{"name": "v"}]) == [
        "spec.volumes[0]: Required value: must specify a volume type"
    ]
    assert told(volumes=[{"name": "v", "emptyDir": {}, "secret": {}}]) == [
        "spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type"
    ]
    same = {"name": "v", "emptyDir": {}}
    assert told(volumes=[same, same]) == ['spec.volumes[1].name: Duplicate value: "v"']
    assert told(volumes=[{"emptyDir": {}}]) == ["spec.volumes[0].name: Required value"]


@pytest.mark.parametrize(
    ("probe", "cause"),
    [
        ({}, "Required value: must specify a handler type"),
        (
            {"httpGet": {"port": 80}, "tcpSocket": {"port": 80}},
            ".tcpSocket: Forbidden: may not specify more than 1 handler type",
        ),
        ({"httpGet": {"port": 0}}, f".httpGet.port: Invalid value: 0: {RANGE}"),
        ({"tcpSocket": {}}, f".tcpSocket.port: Invalid value: 0: {RANGE}"),
        ({"exec": {"command": []}}, ".exec.command: Required value"),
        (
            {"httpGet": {"port": 80, "scheme": "FTP"}},
            '.httpGet.scheme: Unsupported value: "FTP": supported values: "HTTP", "HTTPS"',
        ),
        (
            {"tcpSocket": {"port": 80}, "periodSeconds": -1},
            ".periodSeconds: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            {"tcpSocket": {"port": 80}, "successThreshold": 2},
            ".successThreshold: Invalid value: 2: must be 1",
        ),
    ],
)
def test_probes(probe: dict[str, Any], cause: str) -> None:
    (only,) = told_of(livenessProbe=probe)
    assert only.removeprefix("livenessProbe").removeprefix(": ") == cause


def test_a_readiness_probe_may_ask_for_several_successes() -> None:
    probe = {"httpGet": {"port": "http"}, "successThreshold": 2}
    assert told_of(readinessProbe=probe) == []


def test_hooks() -> None:
    assert told_of(lifecycle={"preStop": {"sleep": {"seconds": 1}}}) == []
    assert told_of(lifecycle={"postStart": {}}) == [
        "lifecycle.postStart: Required value: must specify a handler type"
    ]


def test_names_on_the_network() -> None:
    assert told(hostname="A.b")[0].startswith('spec.hostname: Invalid value: "A.b"')
    assert told(dnsPolicy="None") == [
        "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"
    ]
    assert told(dnsPolicy="None", dnsConfig={}) == [
        "spec.dnsConfig.nameservers: Required value: "
        "must provide at least one DNS nameserver when `dnsPolicy` is None"
    ]
    four = {"nameservers": ["10.0.0.1"] * 4}
    assert told(dnsConfig=four)[0].endswith("must not have more than 3 nameservers")
    assert told(hostAliases=[{"ip": "x"}])[0].startswith("spec.hostAliases[0].ip: Invalid value")


def test_seconds() -> None:
    assert told(terminationGracePeriodSeconds=-1) == [
        "spec.terminationGracePeriodSeconds: Invalid value: -1: must be greater than or equal to 0"
    ]
    assert told(activeDeadlineSeconds=0)[0].startswith("spec.activeDeadlineSeconds: Invalid value")


def test_what_runs_first_has_no_probes_unless_it_runs_on() -> None:
    probed = {"name": "b", "image": "echo", "startupProbe": {"tcpSocket": {"port": 80}}}
    assert told(initContainers=[probed]) == [
        "spec.initContainers[0].startupProbe: Forbidden: "
        "may not be set for init containers without restartPolicy=Always"
    ]
    assert told(initContainers=[{**probed, "restartPolicy": "Always"}]) == []


def test_hooks_sleep_no_longer_than_there_is_time() -> None:
    hooked = {**CONTAINER, "lifecycle": {"preStop": {"sleep": {"seconds": 31}}}}
    assert told(hooked, terminationGracePeriodSeconds=30) == [
        "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: "
        "must be non-negative and less than terminationGracePeriodSeconds (30)"
    ]
    assert told(hooked, terminationGracePeriodSeconds=31) == []


@pytest.mark.parametrize(
    ("field", "value", "cause"),
    [
        ("terminationMessagePolicy", "Log", 'Unsupported value: "Log": supported values: "File", '),
        ("restartPolicy", "Maybe", 'Unsupported value: "Maybe": supported values: "Always", "On'),
        ("resizePolicy", [{"restartPolicy": "NotRequired"}], "Required value"),
        (
            "resizePolicy",
            [{"resourceName": "disk", "restartPolicy": "NotRequired"}],
            'Unsupported value: "disk": supported values: "cpu", "memory"',
        ),
    ],
)
def test_containers_say_only_what_is_known(field: str, value: Any, cause: str) -> None:
    (only,) = told_of(**{field: value})
    assert only.startswith(f"{field}: {cause}")


def test_name_resolution_has_limits() -> None:
    (cause,) = told(dnsConfig={"searches": ["a.b"] * 33})
    assert cause.endswith("must not have more than 32 search paths")
    assert told(dnsConfig={"searches": [".", "a_b.c.", "local"]}) == []
    (cause,) = told(dnsConfig={"searches": ["A"]})
    assert cause.startswith('spec.dnsConfig.searches[0]: Invalid value: "A"')
    assert told(dnsConfig={"options": [{"value": "2"}]}) == [
        "spec.dnsConfig.options[0]: Required value: must not be empty"
    ]
    (cause,) = told(hostAliases=[{"ip": "10.0.0.1", "hostnames": ["X"]}])
    assert cause.startswith('spec.hostAliases[0].hostnames[0]: Invalid value: "X"')


def test_ephemeral_containers_are_no_part_of_a_template() -> None:
    held = {"containers": [CONTAINER], "ephemeralContainers": [{**CONTAINER, "name": "b"}]}
    (cause,) = template_causes({"spec": held}, "spec.template")
    assert cause.field == "spec.template.spec.ephemeralContainers"
    assert cause.message == "Forbidden: ephemeral containers not allowed in pod template"


def test_a_template_is_held_to_the_same() -> None:
    template = {"metadata": {"labels": {"a b": "c"}}, "spec": {"containers": []}}
    fields = [each.field for each in template_causes(template, "spec.template")]
    assert fields == ["spec.template.labels", "spec.template.spec.containers"]


OLD: dict[str, Any] = {
    "containers": [{**CONTAINER, "ports": [port()]}],
    "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute"}],
    "nodeName": "node-1",
}


def told_of_update(**spec: Any) -> list[str]:
    causes = pod_update_causes({"spec": {**OLD, **spec}}, {"spec": OLD})
    return [f"{each.field}: {each.message}" for each in causes]


def test_a_running_pod_may_get_another_image_and_more_tolerations() -> None:
    image = [{**OLD["containers"][0], "image": "other"}]
    more = [*OLD["tolerations"], {"operator": "Exists"}]
    assert told_of_update(containers=image, tolerations=more, activeDeadlineSeconds=9) == []
    assert told_of_update() == []


def test_a_running_pods_rest_is_fixed() -> None:
    (cause,) = told_of_update(nodeName="node-2")
    assert cause.startswith("spec: Forbidden: pod updates may not change fields other than `spec.c")
    assert cause.endswith("\nchanged: spec.nodeName")
    (cause,) = told_of_update(containers=[{**OLD["containers"][0], "ports": []}])
    assert cause.endswith("\nchanged: spec.containers[0].ports")
    assert told_of_update(containers=[*OLD["containers"], CONTAINER]) == [
        "spec.containers: Forbidden: pod updates may not add or remove containers"
    ]
    assert told_of_update(tolerations=[]) == [
        "spec.tolerations: Forbidden: "
        "existing toleration can not be modified except its tolerationSeconds"
    ]


def test_a_deadline_only_comes_nearer() -> None:
    old = {**OLD, "activeDeadlineSeconds": 10}

    def fields(seconds: int | None) -> list[str]:
        new = {**OLD, **({} if seconds is None else {"activeDeadlineSeconds": seconds})}
        return [each.field for each in pod_update_causes({"spec": new}, {"spec": old})]

    assert fields(5) == []
    assert fields(11) == fields(None) == ["spec.activeDeadlineSeconds"]
