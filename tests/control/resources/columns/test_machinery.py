"""Kinds about the API itself as kubectl shows them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from control.resources.columns import machinery

Make = Callable[..., dict[str, Any]]


def test_an_api_service_says_who_answers_and_whether(now: datetime, document: Make) -> None:
    failed = {"type": "Available", "status": "False", "reason": "MissingEndpoints"}
    spec = {"service": {"namespace": "kube-system", "name": "metrics"}}
    service = document(spec=spec, status={"conditions": [failed]})
    row = machinery.API_SERVICES.row(service, now)
    assert row == ["it", "kube-system/metrics", "False (MissingEndpoints)", "5m"]
    well = {"conditions": [{"type": "Available", "status": "True", "reason": "Local"}]}
    assert machinery.API_SERVICES.row(document(status=well), now) == ["it", "Local", "True", "5m"]
    assert machinery.API_SERVICES.row(document(), now)[2] == "Unknown"


def test_a_flow_schema_names_its_level(now: datetime, document: Make) -> None:
    spec = {
        "priorityLevelConfiguration": {"name": "low"},
        "matchingPrecedence": 9000,
        "distinguisherMethod": {"type": "ByUser"},
    }
    status = {"conditions": [{"type": "Dangling", "status": "False"}]}
    row = machinery.FLOW_SCHEMAS.row(document(spec=spec, status=status), now)
    assert row == ["it", "low", "9000", "ByUser", "5m", "False"]
    assert machinery.FLOW_SCHEMAS.row(document(), now)[3:] == ["<none>", "5m", "?"]


def test_a_level_has_queues_or_none(now: datetime, document: Make) -> None:
    queuing = {"queues": 64, "handSize": 8, "queueLengthLimit": 50}
    limited = {"nominalConcurrencyShares": 30, "limitResponse": {"queuing": queuing}}
    spec = {"type": "Limited", "limited": limited}
    row = machinery.PRIORITY_LEVELS.row(document(spec=spec), now)
    assert row == ["it", "Limited", "30", "64", "8", "50", "5m"]
    exempt = machinery.PRIORITY_LEVELS.row(document(spec={"type": "Exempt"}), now)
    assert exempt[2:6] == ["<none>"] * 4


def test_a_migration_names_its_resource(now: datetime, document: Make) -> None:
    spec = {"resource": {"group": "apps", "resource": "deployments"}}
    assert machinery.MIGRATIONS.row(document(spec=spec), now) == ["it", "deployments.apps"]
