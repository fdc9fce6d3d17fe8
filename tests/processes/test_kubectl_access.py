"""Who may do what, as kubectl shows it: roles, reviews, tokens, named users, over TLS."""

import base64
import http.client
import json
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

KUBECTLS = "ends"
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: readers, namespace: {namespace}}}
rules:
- {{apiGroups: [""], resources: [configmaps], verbs: [get]}}
"""


@pytest.fixture
def jane(kubectl: Any) -> str:
    """The option that makes kubectl jane, who has a certificate of the cluster."""
    query = urlencode([("user", "jane"), ("group", f"team-{kubectl.namespace}")])
    document = kubectl.control.ask("GET", f"/kubehop/v1/kubeconfig?{query}")
    path = kubectl.home / "jane"
    path.write_text(json.dumps(document))
    return f"--kubeconfig={path}"


def test_who_views_does_not_delete(kubectl: Any, jane: str) -> None:
    kubectl("create", "configmap", "facts", "--from-literal=a=b")
    told = kubectl.fails("get", "configmaps", jane)
    assert 'User "jane" cannot list resource "configmaps" in API group ""' in told
    group = f"--group=team-{kubectl.namespace}"
    kubectl("create", "rolebinding", "viewers", "--clusterrole=view", group)
    assert "facts" in kubectl("get", "configmaps", jane)
    assert "is forbidden" in kubectl.fails("get", "configmaps", jane, "--namespace=default")
    told = kubectl.fails("delete", "configmap", "facts", jane)
    assert 'configmaps "facts" is forbidden: User "jane" cannot delete' in told
    assert "secrets is forbidden" in kubectl.fails("get", "secrets", jane)
    kubectl("create", "rolebinding", "editors", "--clusterrole=edit", group)
    kubectl("delete", "configmap", "facts", jane)
    assert kubectl("get", "configmaps", "--output=name").split() == ["configmap/kube-root-ca.crt"]


def test_auth_can_i_asks_for_oneself_and_for_others(kubectl: Any, jane: str) -> None:
    assert kubectl("auth", "can-i", "delete", "nodes").splitlines()[-1] == "yes"
    assert kubectl.run("auth", "can-i", "list", "pods", jane).out.split()[0] == "no"
    kubectl("create", "role", "lister", "--verb=list", "--resource=pods", "--resource=pods/log")
    kubectl("create", "rolebinding", "lister", "--role=lister", "--user=jane")
    assert kubectl("auth", "can-i", "list", "pods", jane).split() == ["yes"]
    assert kubectl("auth", "can-i", "list", "pods", "--as=jane").split() == ["yes"]
    assert kubectl.run("auth", "can-i", "list", "pods", "--as=joe").status == 1
    group = ("--as=joe", "--as-group=system:masters")
    assert kubectl("auth", "can-i", "*", "*", *group).splitlines()[-1] == "yes"
    listed = [line.split() for line in kubectl("auth", "can-i", "--list", jane).splitlines()]
    assert ["pods", "[]", "[]", "[list]"] in listed
    assert ["pods/log", "[]", "[]", "[list]"] in listed


def test_impersonation_is_refused_to_who_may_not(kubectl: Any, jane: str) -> None:
    told = kubectl.fails("get", "--raw", "/api/v1/pods", jane, "--as=system:admin")
    assert 'users "system:admin" is forbidden: User "jane" cannot impersonate' in told


def test_whoami_tells_name_and_groups(kubectl: Any, jane: str) -> None:
    told = json.loads(kubectl("auth", "whoami", "--output=json", jane))
    user = told["status"]["userInfo"]
    groups = [f"team-{kubectl.namespace}", "system:authenticated"]
    assert (user["username"], user["groups"]) == ("jane", groups)


def test_a_service_account_shows_its_token(kubectl: Any) -> None:
    kubectl("create", "serviceaccount", "robot")
    token = kubectl("create", "token", "robot", "--duration=15m").strip()
    as_robot = _with_token(kubectl, token)
    robot = f"system:serviceaccount:{kubectl.namespace}:robot"
    told = kubectl.fails("get", "pods", as_robot)
    assert f'User "{robot}" cannot list resource "pods"' in told
    account = f"--serviceaccount={kubectl.namespace}:robot"
    kubectl("create", "rolebinding", "robot", "--clusterrole=view", account)
    assert kubectl("auth", "can-i", "list", "pods", as_robot).split() == ["yes"]
    for_others = kubectl("create", "token", "robot", "--audience=vault").strip()
    assert "Unauthorized" in _refusal(kubectl, for_others)
    kubectl("delete", "serviceaccount", "robot")
    assert "Unauthorized" in _refusal(kubectl, token)


def test_roles_are_reconciled(kubectl: Any) -> None:
    kubectl("create", "role", "readers", "--verb=list", "--resource=pods")
    kubectl("auth", "reconcile", "--filename=-", stdin=ROLE.format(namespace=kubectl.namespace))
    role = json.loads(kubectl("get", "role", "readers", "--output=json"))
    resources = {each for rule in role["rules"] for each in rule["resources"]}
    assert resources == {"configmaps", "pods"}


def test_cluster_roles_are_aggregated(kubectl: Any) -> None:
    name = f"part-{kubectl.namespace}"
    label = f"kubehop.test/{name}"
    kubectl("create", "clusterrole", name, "--verb=get", "--resource=nodes")
    kubectl("create", "clusterrole", f"all-{name}", f"--aggregation-rule={label}=true")
    kubectl("label", "clusterrole", name, f"{label}=true")
    rules = "--for=jsonpath={.rules[0].resources[0]}=nodes"
    kubectl("wait", f"clusterrole/all-{name}", rules, "--timeout=30s")
    kubectl("create", "clusterrolebinding", name, f"--clusterrole=all-{name}", f"--user={name}")
    assert kubectl("auth", "can-i", "get", "nodes", f"--as={name}").splitlines()[-1] == "yes"


MALFORMED = ("Bearer", "Bearer ", "Bearer a.b.c", "Bearer é", "Basic YTpi", "Bearer a b", "x")


@pytest.mark.parametrize("header", MALFORMED)
def test_malformed_credentials_are_answered_401(control: Any, header: str) -> None:
    config = json.loads(control.kubeconfig.read_text())
    context = _trusting(config)
    host, _, port = control.bind.rpartition(":")
    connection = http.client.HTTPSConnection(host, int(port), context=context, timeout=30)
    try:
        connection.request("GET", "/api/v1/pods", headers={"Authorization": header.encode()})
        answer = connection.getresponse()
        status = json.loads(answer.read())
    finally:
        connection.close()
    assert (answer.status, status["reason"]) == (401, "Unauthorized")


def _trusting(config: dict[str, Any]) -> ssl.SSLContext:
    data = base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"])
    return ssl.create_default_context(cadata=data.decode())


def _with_token(kubectl: Any, token: str) -> str:
    config = json.loads(kubectl.control.kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    path: Path = kubectl.home / "token"
    path.write_text(json.dumps(config))
    return f"--kubeconfig={path}"


def _refusal(kubectl: Any, token: str) -> str:
    told = kubectl.fails("get", "--raw", "/api/v1/pods", _with_token(kubectl, token))
    return "Unauthorized" if "must be logged in" in told else str(told)
