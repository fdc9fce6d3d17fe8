"""The core group's smaller kinds."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns import core

Make = Callable[..., dict[str, Any]]


def test_namespaces_show_their_phase(now: datetime, document: Make) -> None:
    namespace = document("shop", status={"phase": "Terminating"})
    assert core.NAMESPACES.row(namespace, now) == ["shop", "Terminating", "5m"]


def test_config_maps_and_secrets_count_their_entries(now: datetime, document: Make) -> None:
    config_map = document("settings", data={"a": "1", "b": "2"}, binaryData={"c": "eA=="})
    assert core.CONFIG_MAPS.row(config_map, now) == ["settings", 3, "5m"]
    secret = document("key", type="Opaque", data={"a": "eA=="})
    assert core.SECRETS.row(secret, now) == ["key", "Opaque", 1, "5m"]
    assert core.SECRETS.row(document("key"), now) == ["key", "", 0, "5m"]


def test_service_accounts_count_their_secrets(now: datetime, document: Make) -> None:
    account = document("default", secrets=[{"name": "token"}])
    assert core.SERVICE_ACCOUNTS.row(account, now) == ["default", 1, "5m"]


def test_replication_controllers_and_pod_templates(now: datetime, document: Make) -> None:
    template = {
        "metadata": {"labels": {"app": "old"}},
        "spec": {"containers": [{"name": "web", "image": "nginx"}]},
    }
    spec = {"replicas": 3, "selector": {"app": "old"}, "template": template}
    controller = document("old", spec=spec, status={"replicas": 2, "readyReplicas": 1})
    told = ["old", 3, 2, 1, "5m", "web", "nginx", "app=old"]
    assert core.REPLICATION_CONTROLLERS.row(controller, now) == told
    made = core.POD_TEMPLATES.row(document("shape", template=template), now)
    assert made == ["shape", "web", "nginx", "app=old"]


def test_quotas_tell_requests_from_limits(now: datetime, document: Make) -> None:
    status = {
        "hard": {"pods": "10", "limits.cpu": "2", "cpu": "1"},
        "used": {"pods": "3", "limits.cpu": "500m"},
    }
    told = ["cap", "cpu: 0/1, pods: 3/10", "limits.cpu: 500m/2", "5m"]
    assert core.RESOURCE_QUOTAS.row(document("cap", status=status), now) == told


def test_kinds_without_columns_show_when_they_were_made(now: datetime, document: Make) -> None:
    assert core.CREATION_ONLY.row(document("it"), now) == ["it", "2026-01-01T11:55:00Z"]
    assert core.AGE_ONLY.row(document("it"), now) == ["it", "5m"]
