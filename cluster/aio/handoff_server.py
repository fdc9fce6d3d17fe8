"""Takes the sockets that other processes of this machine hand over (`cluster.aio.handoff`).

Each peer has a connection of its own, which lives as long as the peer does: its end says that the
peer died, and so do messages about processes before it, but for those who are connected themselves.
Only processes of the same user are heard.

A message whose descriptors could not all be received (MSG_CTRUNC: this process has no more) is
void: its flows are over, the kernel has closed their sockets. So nothing is read before that: when
the numbers of descriptors come near the limit, all peers wait until some are free again.
"""

import asyncio
import errno
import logging
import os
import resource
import socket
import stat
import struct
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

from cluster.aio.listener import Turn, nothing
from cluster.aio.streams import close, reset, stream
from cluster.errors import WireError
from cluster.wire.handover import (
    ENDED_MAX,
    FLOWS_MAX,
    MESSAGE_BYTES_MAX,
    Died,
    Ended,
    Flows,
    Handed,
    Hello,
    Message,
    decode,
    encode_ended,
)

log = logging.getLogger(__name__)

BACKLOG = 512
PEERS_MAX = 1024
MESSAGES_A_TURN = 4
FULL_FLOWS = 16  # of a message after which another one is likely to wait already
RESERVE_DESCRIPTORS = 256
RESERVE_PAUSE_SECONDS = 0.05
_INT_BYTES = array("i").itemsize
_RIGHTS_BYTES = socket.CMSG_SPACE(253 * _INT_BYTES)  # the most that the kernel passes at once
_PEER = struct.Struct("3i")  # pid, uid, gid

Taken = Callable[[socket.socket, Handed], None]
Lost = Callable[[Sequence[str]], None]


class HandoffServer:
    """`taken` owns each socket from its call on; `lost` hears which instances are gone, `met` which
    is there: one that was thought to be gone may be.

    `before` and `after` are called around what is taken together.
    """

    def __init__(
        self,
        path: Path,
        *,
        taken: Taken,
        lost: Lost,
        met: Callable[[str], None] = lambda _: None,
        before: Turn = nothing,
        after: Turn = nothing,
    ) -> None:
        """Bind; OSError if the path may not be had. `start` begins to accept."""
        self.path = path
        self.taken = taken
        self.lost = lost
        self.met = met
        self.void = 0  # flows whose sockets could not be received
        self.unsaid = 0  # ends of flows that a peer was too slow to hear of
        self.turned_away = 0
        self.reserve = RESERVE_DESCRIPTORS
        self._descriptors_max, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._peers: set[_Peer] = set()
        self._by_instance: dict[str, _Peer] = {}
        self._paused = False
        self._retry: asyncio.TimerHandle | None = None  # while descriptors are few
        self._buffer = memoryview(bytearray(MESSAGE_BYTES_MAX))  # read into and emptied at once
        self._before = before
        self._after = after
        self._sock = _listen(path)

    def start(self) -> None:
        """Take sockets from now on."""
        asyncio.get_running_loop().add_reader(self._sock.fileno(), self._accept)

    def pause(self) -> None:
        """Leave everything in the kernel's queues, so that peers wait, until `resume`."""
        self._paused = True
        self._follow()

    def resume(self) -> None:
        """Read again."""
        self._paused = False
        self._follow()

    @property
    def reading(self) -> bool:
        """Whether peers are read."""
        return not self._paused and self._retry is None

    def _follow(self) -> None:
        for peer in self._peers:
            if self.reading:
                peer.resume()
            else:
                peer.pause()

    def hold_back(self) -> None:
        """Take no more until descriptors are free: the kernel gives the lowest number first."""
        if self._retry is None and self._sock.fileno() >= 0:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._sock.fileno())
            self._retry = loop.call_later(RESERVE_PAUSE_SECONDS, self._try_again)
            self._follow()

    def _try_again(self) -> None:
        self._retry = None
        try:
            probe = os.dup(self._sock.fileno())
        except OSError:
            self.hold_back()
            return
        os.close(probe)
        if self.near_limit(probe):
            self.hold_back()
        else:
            self.start()
            self._follow()

    def near_limit(self, descriptor: int) -> bool:
        """Whether so high a number says that hardly any is free."""
        return descriptor >= self._descriptors_max - self.reserve

    def tell_ended(self, at: float, passed: tuple[str, ...], flow_ids: Sequence[str]) -> None:
        """Tell the process that a flow was from that it ended; `passed` ends with that process."""
        peer = self._by_instance.get(passed[-1]) if passed else None
        for first in range(0, len(flow_ids), ENDED_MAX):
            some = tuple(flow_ids[first : first + ENDED_MAX])
            if peer is None or not peer.tell(encode_ended(Ended(at, passed, some))):
                self.unsaid += len(some)

    @property
    def peers(self) -> list[str]:
        """Who hands over now."""
        return list(self._by_instance)

    def close(self) -> None:
        """Stop: nothing more is taken."""
        if self._sock.fileno() < 0:
            return
        close(self._sock)
        if self._retry is not None:
            self._retry.cancel()
        for peer in list(self._peers):
            peer.end("this process stops")
        self.path.unlink(missing_ok=True)

    def _accept(self) -> None:
        try:
            sock, _ = self._sock.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            return
        except OSError as error:
            log.warning("hand-over not accepted error=%s", error.strerror)
            self.hold_back()
            return
        sock.setblocking(False)
        if len(self._peers) >= PEERS_MAX or not _same_user(sock):
            self.turned_away += 1
            sock.close()
            return
        peer = _Peer(self, sock)
        self._peers.add(peer)
        if self.reading:
            peer.resume()

    def greeted(self, peer: "_Peer") -> None:
        """A peer has told its name."""
        self._by_instance[peer.instance] = peer
        self.met(peer.instance)

    def told_gone(self, instances: Sequence[str]) -> None:
        """A peer says who is gone; of those that are peers too, their own connections tell."""
        gone = [each for each in instances if each not in self._by_instance]
        if gone:
            self.lost(gone)

    def ended(self, peer: "_Peer") -> None:
        """A peer's connection is over: so is the peer, unless it is this process that stops."""
        self._peers.discard(peer)
        if peer.instance and self._by_instance.get(peer.instance) is peer:
            del self._by_instance[peer.instance]
            if self._sock.fileno() >= 0:
                self.lost((peer.instance,))


class _Peer:
    """One process that hands over."""

    def __init__(self, server: HandoffServer, sock: socket.socket) -> None:
        self.instance = ""  # until it has told
        self._server = server
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    def resume(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.add_reader(self._sock.fileno(), self._readable)

    def pause(self) -> None:
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock.fileno())

    def tell(self, message: bytes) -> bool:
        """Send news, unless the peer is too slow to read them."""
        try:
            self._sock.send(message)
        except OSError:  # full, or gone: its end is read soon
            return False
        return True

    def end(self, reason: str) -> None:
        if self._sock.fileno() < 0:
            return
        log.info("hand-over ended from=%s reason=%s", self.instance or "a stranger", reason)
        close(self._sock)
        self._server.ended(self)

    def _readable(self) -> None:
        self._server._before()
        try:
            for _ in range(MESSAGES_A_TURN):
                if not self._server.reading or not self._read():
                    return
        finally:
            self._server._after()

    def _read(self) -> bool:
        """Take one message in; whether another one is likely to wait."""
        buffer = self._server._buffer
        try:
            count, rights, flags, _ = self._sock.recvmsg_into([buffer], _RIGHTS_BYTES)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError as error:
            self.end(error.strerror or str(error))
            return False
        descriptors = _descriptors(rights)
        if not count:
            self.end("it is gone")
            return False
        try:
            self._carry_out(decode(buffer[:count]), descriptors, flags)
        except WireError as error:
            log.warning("hand-over from=%s reason=%s", self.instance, error)
            self._close_all(descriptors)
            self.end(str(error))
            return False
        return len(descriptors) >= FULL_FLOWS

    def _carry_out(self, message: Message, descriptors: list[int], flags: int) -> None:
        match message:
            case Flows(flows) if self.instance:
                self._take(flows, descriptors, flags)
            case Died(instances) if self.instance:
                self._server.told_gone(instances)
            case Hello(instance) if not self.instance and instance:
                self.instance = instance
                self._server.greeted(self)
            case _:
                raise WireError(f"{type(message).__name__} is out of place")

    def _take(self, flows: Sequence[Handed], descriptors: list[int], flags: int) -> None:
        if flags & socket.MSG_CTRUNC:
            self._server.void += len(flows)
            self._close_all(descriptors)
            log.warning(
                "sockets lost flows=%d from=%s reason=no descriptor is free: raise the limit of "
                "open files (ulimit -n)",
                len(flows),
                self.instance,
            )
            return
        if len(descriptors) != len(flows):
            raise WireError(f"{len(flows)} flows came with {len(descriptors)} descriptors")
        highest = max(descriptors)
        for descriptor, handed in zip(descriptors, flows, strict=True):
            self._give_on(stream(descriptor, handed.ip_version), handed)
        if self._server.near_limit(highest):
            self._server.hold_back()

    def _give_on(self, sock: socket.socket, handed: Handed) -> None:
        """One flow's fault must not be that of those behind it."""
        try:
            self._server.taken(sock, handed)
        except Exception:
            log.exception("flow lost flow=%s", handed.context.flow_id)
            reset(sock)

    def _close_all(self, descriptors: list[int]) -> None:
        for descriptor in descriptors:
            os.close(descriptor)


def _descriptors(rights: list[tuple[int, int, bytes]]) -> list[int]:
    found = array("i")
    for level, kind, data in rights:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % _INT_BYTES])
    return found.tolist()


def _listen(path: Path) -> socket.socket:
    """A socket that only this user may open; one that a killed process left is replaced."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        sock.setblocking(False)
        if path.exists() and stat.S_ISSOCK(path.stat().st_mode):
            path.unlink()
        sock.bind(str(path))
        path.chmod(0o600)
        sock.listen(BACKLOG)
    except BaseException:
        sock.close()
        raise
    return sock


def _same_user(sock: socket.socket) -> bool:
    """Whether the peer is of this process's user; a system that cannot tell has 0600 alone."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    try:
        said = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    except OSError as error:
        if error.errno == errno.ENOTCONN:
            return False
        raise
    return bool(_PEER.unpack(said)[1] == os.geteuid())


assert FLOWS_MAX <= 253, "more descriptors than the kernel passes in one message"
