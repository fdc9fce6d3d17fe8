"""The audit log: what was asked, by whom, and how it ended."""

import asyncio
import json
import random
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict, CIMultiDictProxy

from control.apiserver.app import ApiServer
from control.apiserver.audit import ACTOR, ASKER, AuditLog, entry
from control.apiserver.identity import ADMIN, User
from control.apiserver.kubelets import Kubelets
from control.apiserver.pod_log import PodLogs
from control.apiserver.registry import Registry

POD = "/api/v1/namespaces/shop/pods/web"


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_line_says_who_asked_what_and_how_it_ended() -> None:
    headers = {"User-Agent": "kubectl/v1.37.0", "Accept": "application/json"}
    request = make_mocked_request("GET", f"{POD}/log?tailLines=1", headers=headers)
    known = ASKER.set(ADMIN)
    made = entry(request, 200, 1_767_268_800.0, 1_767_268_800.25)
    ASKER.reset(known)
    assert made["requestURI"] == f"{POD}/log?tailLines=1"
    assert made["objectRef"] == {
        "resource": "pods",
        "namespace": "shop",
        "name": "web",
        "apiVersion": "v1",
        "subresource": "log",
    }
    assert made["user"]["username"] == ADMIN.name
    assert made["responseStatus"] == {"code": 200}
    assert made["stageTimestamp"] == "2026-01-01T12:00:00.250000Z"
    assert made["annotations"] == {"kubehop.dev/accept": "application/json"}
    assert "objectRef" not in entry(make_mocked_request("GET", "/version"), 200, 0, 0)


def test_a_header_that_is_no_text_is_written_down_all_the_same(tmp_path: Path, clock: Any) -> None:
    told = dict.fromkeys(("User-Agent", "Accept", "Content-Type"), "a\udcffb")
    request = make_mocked_request("GET", POD)
    request._headers = CIMultiDictProxy(CIMultiDict(told))  # as the parser leaves it
    audit = AuditLog(tmp_path / "audit.log", clock)
    audit.write(entry(request, 400, 0, 0))
    audit.close()
    (line,) = lines(tmp_path / "audit.log")
    assert line["userAgent"] == "a?b"
    assert set(line["annotations"].values()) == {"a?b"}


def test_each_answer_is_written_down(tmp_path: Path, clock: Any) -> None:
    audit = AuditLog(tmp_path / "audit.log", clock)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=404)

    for name in ("a", "b"):
        request = make_mocked_request("GET", f"/api/v1/namespaces/shop/pods/{name}")
        assert asyncio.run(_ask(audit, handler, request)).status == 404
    audit.close()
    said = lines(tmp_path / "audit.log")
    assert [each["objectRef"]["name"] for each in said] == ["a", "b"]
    assert (tmp_path / "audit.log").stat().st_mode & 0o777 == 0o600


async def _ask(audit: AuditLog, handler: Any, request: web.BaseRequest) -> web.StreamResponse:
    return await audit.around(handler)(request)


def test_who_asks_as_somebody_else_is_told_too() -> None:
    known, acting = ASKER.set(ADMIN), ACTOR.set(User("jane"))
    made = entry(make_mocked_request("GET", POD), 200, 0, 0)
    ACTOR.reset(acting)
    ASKER.reset(known)
    assert made["user"]["username"] == ADMIN.name
    assert made["impersonatedUser"] == {"username": "jane"}


async def test_the_application_tells_who_asks_and_as_whom(
    registry: Registry, tmp_path: Path, clock: Any
) -> None:
    logs = PodLogs(registry.store, Kubelets(registry.store))
    server = ApiServer(registry, logs, clock, random.Random(7))
    audit = AuditLog(tmp_path / "audit.log", clock)
    for headers in ({"Impersonate-User": "jane"}, {}):
        request = make_mocked_request("GET", POD, headers=headers)
        await audit.around(server.handle)(request)
    audit.close()
    as_jane, plain = lines(tmp_path / "audit.log")
    assert as_jane["responseStatus"] == {"code": 403}
    assert as_jane["user"]["username"] == plain["user"]["username"] == ADMIN.name
    assert as_jane["impersonatedUser"]["username"] == "jane"
    assert "impersonatedUser" not in plain


def test_a_client_that_does_not_wait_is_written_down(tmp_path: Path, clock: Any) -> None:
    audit = AuditLog(tmp_path / "audit.log", clock)

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(_ask(audit, handler, make_mocked_request("DELETE", POD)))
    audit.close()
    (line,) = lines(tmp_path / "audit.log")
    assert (line["verb"], line["responseStatus"]) == ("delete", {"code": 499})


def test_a_full_file_becomes_the_one_before(tmp_path: Path, clock: Any) -> None:
    audit = AuditLog(tmp_path / "audit.log", clock, bytes_max=30)
    for number in range(5):
        audit.write({"number": number, "x": "xx"})  # 23 bytes each
    audit.close()
    assert lines(tmp_path / "audit.log") == [{"number": 4, "x": "xx"}]
    assert lines(tmp_path / "audit.log.1") == [{"number": 3, "x": "xx"}]
    assert len(list(tmp_path.iterdir())) == 2


def test_what_cannot_be_written_is_said_once(
    tmp_path: Path, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    audit = AuditLog(tmp_path / "no" / "audit.log", clock)
    audit.write({"a": 1})
    audit.write({"a": 2})
    assert caplog.text.count("the audit log cannot be written") == 1
    (tmp_path / "no").mkdir()
    audit.write({"a": 3})
    audit.close()
    assert lines(tmp_path / "no" / "audit.log") == [{"a": 3}]
