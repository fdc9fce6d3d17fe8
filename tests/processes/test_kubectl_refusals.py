"""What kubectl is refused, and the words that reach who typed the command."""

import json
from typing import Any

import pytest

KUBECTLS = "ends"  # the words are the server's

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {
        "nodeSelector": {"nowhere": "yes"},
        "containers": [{"name": "web", "image": "nginx:1"}],
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "cart"},
    "spec": {"type": "NodePort", "ports": [{"port": 80}]},
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "cart"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "cart"}},
        "template": {"metadata": {"labels": {"app": "cart"}}, "spec": POD["spec"]},
    },
}


def changed(document: dict[str, Any], path: str, value: Any) -> str:
    """A manifest with the value at a dotted path replaced."""
    made = json.loads(json.dumps(document))
    *outer, last = path.split(".")
    place = made
    for key in outer:
        place = place[int(key)] if isinstance(place, list) else place[key]
    place[last] = value
    return json.dumps(made)


def refused(kubectl: Any, manifest: str, *arguments: str) -> str:
    words: str = kubectl.fails("create", "--filename=-", *arguments, stdin=manifest)
    return words


# -- fields that are not there, values of a wrong type


def test_an_unknown_field_is_refused_told_or_ignored(kubectl: Any) -> None:
    manifest = changed(POD, "spec.nodeNmae", "node-1")
    words = refused(kubectl, manifest)
    assert "Error from server (BadRequest)" in words
    assert 'strict decoding error: unknown field "spec.nodeNmae"' in words
    assert kubectl("get", "pods", "--output=name") == ""
    told = kubectl.run("create", "--filename=-", "--validate=warn", stdin=manifest)
    assert (told.status, told.out) == (0, "pod/web created\n")
    assert told.err == 'Warning: unknown field "spec.nodeNmae"\n'
    assert "nodeNmae" not in kubectl("get", "pod", "web", "--output=yaml")
    kubectl("delete", "pod", "web")
    silent = kubectl.run("create", "--filename=-", "--validate=ignore", stdin=manifest)
    assert (silent.status, silent.err) == (0, "")


def test_a_value_of_a_wrong_type_is_refused_with_its_place(kubectl: Any) -> None:
    words = refused(kubectl, changed(DEPLOYMENT, "spec.replicas", "two"))
    assert "Error from server (BadRequest)" in words
    assert "cannot be handled as a Deployment" in words
    assert "spec.replicas" in words
    settings = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": {"a": 1},
    }
    assert "data" in refused(kubectl, json.dumps(settings))
    assert kubectl("get", "deployments", "--output=name") == ""


def test_what_is_no_manifest_at_all(kubectl: Any) -> None:
    assert "error parsing STDIN" in refused(kubectl, "{")
    words = refused(kubectl, '{"apiVersion": "v1", "kind": "Nothing", "metadata": {"name": "a"}}')
    assert 'no matches for kind "Nothing" in version "v1"' in words
    old = '{"apiVersion": "extensions/v1beta1", "kind": "Deployment", "metadata": {"name": "a"}}'
    assert 'no matches for kind "Deployment" in version "extensions/v1beta1"' in refused(
        kubectl, old
    )


# -- values that a kind does not allow


@pytest.mark.parametrize(
    ("document", "path", "value", "words"),
    [
        (POD, "metadata.name", "Not_Valid", "metadata.name: Invalid value"),
        (POD, "spec.containers", [], "spec.containers: Required value"),
        (POD, "spec.containers.0.name", "Web!", "spec.containers[0].name: Invalid value"),
        (POD, "spec.restartPolicy", "Sometimes", "spec.restartPolicy: Unsupported value"),
        (POD, "metadata.labels", {"a": "b c"}, "metadata.labels: Invalid value"),
        (SERVICE, "spec.ports", [], "spec.ports: Required value"),
        (SERVICE, "spec.ports.0.port", 70000, "spec.ports[0].port: Invalid value: 70000"),
        (SERVICE, "spec.ports.0.nodePort", 80, "spec.ports[0].nodePort: Invalid value: 80"),
        (SERVICE, "spec.clusterIP", "192.0.2.1", "spec.clusterIP"),
        (DEPLOYMENT, "spec.selector", {}, "spec.selector: Invalid value"),
        (
            DEPLOYMENT,
            "spec.template.metadata.labels",
            {"app": "other"},
            "`selector` does not match template `labels`",
        ),
    ],
)
def test_an_invalid_object_is_refused_field_by_field(
    kubectl: Any, document: dict[str, Any], path: str, value: Any, words: str
) -> None:
    told = refused(kubectl, changed(document, path, value))
    assert f"The {document['kind']} " in told
    assert "is invalid:" in told
    assert words in told
    assert kubectl("get", document["kind"], "--output=name") == ""


def test_several_faults_are_told_at_once(kubectl: Any) -> None:
    faulty = json.loads(changed(POD, "spec.containers.0.name", "Web!"))
    told = refused(kubectl, changed(faulty, "spec.restartPolicy", "Sometimes"))
    assert "* spec.containers[0].name" in told
    assert "* spec.restartPolicy" in told


def test_what_may_not_change_stays(kubectl: Any) -> None:
    for document in (POD, SERVICE, DEPLOYMENT):
        kubectl("create", "--filename=-", stdin=json.dumps(document))
    patches = (
        ("pod/web", {"spec": {"nodeSelector": {"other": "yes"}}}, "pod updates may not change"),
        ("service/cart", {"spec": {"clusterIP": "10.96.0.250"}}, "may not change once set"),
        (
            "deployment/cart",
            {"spec": {"selector": {"matchLabels": {"more": "yes"}}}},
            "field is immutable",
        ),
    )
    for target, patch, words in patches:
        told = kubectl.fails("patch", target, f"--patch={json.dumps(patch)}")
        assert "is invalid" in told
        assert words in told


# -- places that are not there, names that are taken


def test_nothing_is_made_in_a_namespace_that_is_not_there(kubectl: Any) -> None:
    words = refused(kubectl, json.dumps(POD), "--namespace=nowhere")
    assert words.startswith("Error from server (NotFound)")
    assert words.endswith('namespaces "nowhere" not found\n')


def test_an_object_of_another_namespace_is_refused_by_the_client(kubectl: Any) -> None:
    words = refused(kubectl, changed(POD, "metadata.namespace", "default"))
    assert "does not match the namespace" in words


def test_a_node_port_that_is_taken_names_itself(kubectl: Any) -> None:
    kubectl("create", "--filename=-", stdin=json.dumps(SERVICE))
    path = "--output=jsonpath={.spec.ports[0].nodePort}"
    taken = int(kubectl("get", "service", "cart", path))
    second = json.loads(changed(SERVICE, "metadata.name", "second"))
    told = refused(kubectl, changed(second, "spec.ports.0.nodePort", taken))
    assert f"spec.ports[0].nodePort: Invalid value: {taken}: provided port is already" in told


def test_a_patch_of_nothing_is_not_found(kubectl: Any) -> None:
    words = kubectl.fails("patch", "configmap", "nobody", "--type=merge", "--patch={}")
    assert words == 'Error from server (NotFound): configmaps "nobody" not found\n'


# -- what is not served yet says so


def test_logs_of_a_pod_without_a_node(kubectl: Any) -> None:
    kubectl("create", "--filename=-", stdin=json.dumps(POD))
    words = kubectl.fails("logs", "web")
    assert words == "Error from server (BadRequest): pod web does not have a host assigned\n"
    assert 'pods "nobody" not found' in kubectl.fails("logs", "nobody")


def test_streams_of_a_pod_without_a_node(kubectl: Any) -> None:
    """Refused before the connection changes, so in words, over SPDY and WebSockets."""
    kubectl("create", "--filename=-", stdin=json.dumps(POD))
    words = kubectl.fails("exec", "web", "--", "ls")
    assert "pod web does not have a host assigned" in words
    assert 'pods "nobody" not found' in kubectl.fails("exec", "nobody", "--", "ls")
    words = kubectl.fails("port-forward", "web", ":80")
    assert "pod is not running. Current status=Pending" in words
