"""launcher.sock: orders to a running launcher, one JSON object a line, one answer each.

    {"verb": "status"}
    {"verb": "stop_node", "name": "node-2", "how": "crash"}      {"verb": "start_node", "name": ...}
    {"verb": "kill", "name": "gateway", "signal": 9}
    {"verb": "settled", "seconds": 30}
    {"verb": "down", "keep": false}

Answers: {"ok": ...} or {"error": "what happened and what to do", "misused": true}, where `misused`
tells an order that is wrong from one that could not be carried out.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from cluster.errors import ClusterError, ConfigError
from cluster.launcher.cluster import Cluster

log = logging.getLogger(__name__)

LINE_BYTES_MAX = 65_536

Verb = Callable[[dict[str, Any]], Awaitable[Any]]


class Service:
    """The orders."""

    def __init__(self, cluster: Cluster) -> None:
        self.down = asyncio.Event()
        self.keep = False
        self._cluster = cluster
        self._server: asyncio.Server | None = None
        self._verbs: dict[str, Verb] = {
            "status": self._status,
            "stop_node": self._stop_node,
            "start_node": self._start_node,
            "kill": self._kill,
            "settled": self._settled,
            "down": self._down,
        }

    async def start(self) -> None:
        """Listen."""
        path = self._cluster.places.launcher_socket
        self._server = await asyncio.start_unix_server(self._serve, str(path), limit=LINE_BYTES_MAX)
        path.chmod(0o600)

    async def close(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for line in reader:
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            pass  # whoever asked has gone
        except ValueError:
            log.warning("an order of more than %d bytes: its connection is closed", LINE_BYTES_MAX)
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            order = json.loads(line)
            verb = self._verbs[order.pop("verb")]
        except (ValueError, KeyError, TypeError, AttributeError):
            return {"error": f"no such order; verbs: {', '.join(self._verbs)}", "misused": True}
        try:
            answer = {"ok": await verb(order)}
            self._cluster.record()  # for who reads it after this
            return answer
        except (ClusterError, TimeoutError, OSError) as error:
            text = str(error) or type(error).__name__
            return {"error": text, "misused": isinstance(error, ConfigError)}
        except (KeyError, TypeError, ValueError) as error:
            text = f"the order lacks {error}" if isinstance(error, KeyError) else str(error)
            return {"error": text, "misused": True}

    async def _status(self, _: dict[str, Any]) -> dict[str, Any]:
        return self._cluster.described()

    async def _stop_node(self, order: dict[str, Any]) -> None:
        await self._cluster.stop_node(order["name"], order.get("how", "shutdown"))

    async def _start_node(self, order: dict[str, Any]) -> None:
        await self._cluster.start_node(order["name"])

    async def _kill(self, order: dict[str, Any]) -> None:
        self._cluster.kill(order["name"], int(order.get("signal", 9)))

    async def _settled(self, order: dict[str, Any]) -> None:
        await self._cluster.settled(float(order.get("seconds", 30.0)))

    async def _down(self, order: dict[str, Any]) -> None:
        self.keep = bool(order.get("keep", False))
        self.down.set()
