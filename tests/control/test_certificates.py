"""The certificate authority: real TLS with what it signs."""

import fcntl
import os
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from control import certificates
from control.certificates import RENEW_BEFORE_SECONDS, Authority, Pair, write_private

YEAR = 365 * 86_400.0


def handshake(authority: Authority, names: list[str], host: str) -> dict[str, object]:
    """A client with a certificate calls a server; what the server saw of the client."""
    served, client = authority.server(names), authority.client("alice", ["dev", "ops"])
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(served.certificate, served.key)
    server_side.load_verify_locations(authority.pair.certificate)
    server_side.verify_mode = ssl.CERT_REQUIRED
    client_side = ssl.create_default_context(cafile=str(authority.pair.certificate))
    client_side.load_cert_chain(client.certificate, client.key)
    near, far = socket.socketpair()
    seen: dict[str, object] = {}

    def serve() -> None:
        with server_side.wrap_socket(far, server_side=True) as tls:
            seen.update(tls.getpeercert() or {})
            tls.recv(1)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client_side.wrap_socket(near, server_hostname=host) as tls:
            tls.send(b"x")
    finally:
        near.close()
        thread.join()
    return seen


def test_a_server_and_a_client_trust_each_other(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki", now=time.time())
    seen = handshake(authority, ["localhost", "127.0.0.1"], "127.0.0.1")
    subject = [pair for name in seen["subject"] for pair in name]  # type: ignore[attr-defined]
    assert ("commonName", "alice") in subject
    assert ("organizationName", "dev") in subject and ("organizationName", "ops") in subject


def test_a_name_is_never_taken_for_a_name_with_groups(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki", now=time.time())
    apart = authority.client("alice", ["dev", "ops"])
    for name, groups in (("alice\ndev\nops", []), ("alice", ["dev\nops"]), ("alice", ["dev"])):
        assert authority.client(name, groups) != apart


def test_what_fits_is_used_again(tmp_path: Path) -> None:
    now = time.time()
    first = Authority(tmp_path, now=now)
    pair, content = first.server(["a", "b"]), first.certificate
    again = Authority(tmp_path, now=now)
    assert again.certificate == content
    assert again.server(["b", "a", "a"]) == pair
    assert again.server(["c"]) != pair


def test_a_start_that_finds_what_it_needs_imports_no_cryptography(tmp_path: Path) -> None:
    """Which takes longer to import than everything else that such a start does here."""
    start = (
        "import sys, time, pathlib; from control.certificates import Authority;"
        "made = Authority(pathlib.Path(sys.argv[1]), now=time.time());"
        "made.server(['a']); made.client('alice', ['dev']);"
        "print('cryptography' in sys.modules)"
    )
    command = [sys.executable, "-c", start, str(tmp_path)]
    said = [subprocess.run(command, capture_output=True, text=True, check=True) for _ in "12"]
    assert [each.stdout.strip() for each in said] == ["True", "False"]


def test_what_ends_soon_is_made_anew(tmp_path: Path) -> None:
    now = time.time()
    old = Authority(tmp_path, now=now).server(["a"]).certificate
    content = old.read_bytes()
    os.utime(old, (now, now))
    later = now + YEAR - RENEW_BEFORE_SECONDS + 1
    assert Authority(tmp_path, now=later).server(["a"]).certificate.read_bytes() != content


def test_a_new_authority_makes_new_pairs(tmp_path: Path) -> None:
    first = Authority(tmp_path, now=time.time()).server(["a"])
    (tmp_path / "ca.crt").unlink()
    assert Authority(tmp_path, now=time.time()).server(["a"]) != first


@pytest.mark.parametrize("made_before", [False, True], ids=["authority", "pair"])
def test_two_that_start_at_once_make_one_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_before: bool
) -> None:
    """The other comes when this one has written its key and not yet its certificate."""
    now = time.time()
    if made_before:
        Authority(tmp_path, now=now)
    arrived = threading.Event()
    real_write, real_lock = certificates.write_private, fcntl.flock

    def start() -> Pair:
        return Authority(tmp_path, now=now).server(["localhost"])

    def come() -> None:
        start()
        arrived.set()

    def lock(descriptor: int, operation: int) -> None:
        if threading.current_thread() is other:
            arrived.set()
        real_lock(descriptor, operation)

    def write(path: Path, content: bytes) -> None:
        if path.suffix == ".crt" and other.ident is None:
            other.start()
            assert arrived.wait(20)
        real_write(path, content)

    other = threading.Thread(target=come)
    monkeypatch.setattr(certificates, "write_private", write)
    monkeypatch.setattr(fcntl, "flock", lock)
    pair = start()
    other.join()
    for each in (Authority(tmp_path, now=now).pair, pair):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(each.certificate, each.key)  # ssl.SSLError: they do not match


def test_keys_are_their_owners_alone(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "pki", now=time.time())
    authority.client("alice", [])
    modes = {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "pki").iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE((tmp_path / "pki").stat().st_mode) == 0o700


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be made or read"):
        Authority(tmp_path / "file" / "pki", now=time.time())


def test_a_private_file_is_whole_or_not_there(tmp_path: Path) -> None:
    target = tmp_path / "a-directory"
    target.mkdir()
    with pytest.raises(OSError):
        write_private(target, b"x")
    assert [each.name for each in tmp_path.iterdir()] == ["a-directory"]
