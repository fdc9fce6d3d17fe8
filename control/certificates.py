"""The certificate authority of a user's clusters, and what it signs.

Keys are ECDSA P-256: made in a millisecond. The authority is made once and reused by every cluster
of the user; a server's or an administrator's pair is reused as long as it fits, so that most starts
need no cryptography at all. Files with keys are 0600 and appear whole or not at all; of clusters
that start at the same time one makes a pair and the others use it.
"""

import datetime
import fcntl
import hashlib
import ipaddress
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cluster.dataclass import dataclass
from cluster.errors import ConfigError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

AUTHORITY_DAYS = 3650
LEAF_DAYS = 365
RENEW_BEFORE_SECONDS = 30 * 86_400.0  # a pair that ends sooner is made anew
DAY_SECONDS = 86_400.0
LOCK = ".lock"
CLOCK_SKEW = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs for one directory."""

    def __init__(self, directory: Path, *, now: float) -> None:
        self._directory = directory
        self._now = now
        self.pair = Pair(directory / "ca.crt", directory / "ca.key")
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._stands(self.pair, AUTHORITY_DAYS):
                with self._alone():
                    if not self._stands(self.pair, AUTHORITY_DAYS):
                        self._make_authority()
        except OSError as error:
            raise ConfigError(
                f"the certificate authority in {directory} cannot be made or read: {error}"
            ) from error

    @property
    def certificate(self) -> bytes:
        """The authority's certificate, PEM."""
        return self.pair.certificate.read_bytes()

    def server(self, names: Iterable[str]) -> Pair:
        """A serving pair for host names and IP addresses."""
        wanted = sorted(set(names))
        return self._leaf("server", "kube-apiserver", (), wanted)

    def client(self, name: str, groups: Iterable[str]) -> Pair:
        """A pair that says who a client is."""
        return self._leaf("client", name, tuple(groups), [])

    def _leaf(self, use: str, name: str, groups: tuple[str, ...], names: list[str]) -> Pair:
        identity = json.dumps([use, name, groups, names, self._authority_id()])  # none is another's
        stem = f"{use}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
        pair = Pair(self._directory / f"{stem}.crt", self._directory / f"{stem}.key")
        if not self._stands(pair, LEAF_DAYS):
            with self._alone():
                if not self._stands(pair, LEAF_DAYS):
                    self._make_leaf(pair, name, groups, names)
        return pair

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process makes a pair: a key of one with a certificate of another fits nobody."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._directory / LOCK, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _make_leaf(self, pair: Pair, name: str, groups: tuple[str, ...], names: list[str]) -> None:
        from cryptography import x509
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        attributes += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, each) for each in groups]
        usage = ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
        key = _new_key()
        builder = (
            self._builder(x509.Name(attributes), self._authority().subject, LEAF_DAYS)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([_general_name(each) for each in names])
            builder = builder.add_extension(alternatives, critical=False)
        self._write(pair, builder, key, self._authority_key())

    def _make_authority(self) -> None:
        from cryptography import x509
        from cryptography.x509.oid import NameOID

        key = _new_key()
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kubehop-ca")])
        usage = x509.KeyUsage(True, False, True, False, False, True, False, False, False)
        builder = (
            self._builder(name, name, AUTHORITY_DAYS)
            .public_key(key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
        )
        self._write(self.pair, builder, key, key)

    def _builder(
        self, subject: "x509.Name", issuer: "x509.Name", days: int
    ) -> "x509.CertificateBuilder":
        from cryptography import x509

        start = datetime.datetime.fromtimestamp(self._now, datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start - CLOCK_SKEW)
            .not_valid_after(start + datetime.timedelta(days=days))
        )

    def _authority(self) -> "x509.Certificate":
        from cryptography import x509

        return x509.load_pem_x509_certificate(self.certificate)

    def _authority_key(self) -> "EllipticCurvePrivateKey":
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        key = load_pem_private_key(self.pair.key.read_bytes(), None)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise ConfigError(f"{self.pair.key} is no elliptic curve key: delete the directory")
        return key

    def _authority_id(self) -> str:
        return hashlib.sha256(self.certificate).hexdigest()

    def _stands(self, pair: Pair, days: int) -> bool:
        """Whether a pair is there and lasts; its age is its file's, which needs no parsing."""
        if not (pair.certificate.exists() and pair.key.exists()):
            return False
        left = pair.certificate.stat().st_mtime + days * DAY_SECONDS - self._now
        return left > RENEW_BEFORE_SECONDS

    def _write(
        self,
        pair: Pair,
        builder: "x509.CertificateBuilder",
        key: "EllipticCurvePrivateKey",
        signer: "EllipticCurvePrivateKey",
    ) -> None:
        from cryptography.hazmat.primitives import hashes, serialization

        certificate = builder.sign(signer, hashes.SHA256())
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(pair.key, private)
        write_private(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads; it appears whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _new_key() -> "EllipticCurvePrivateKey":
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _general_name(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
