"""Where the kubelet API listens: a Unix socket, and TLS between machines.

Between machines control shows a token derived from the cluster key; the certificate is the node's
own, made at start, and its SHA-256 stands in the Node's annotation, so that no authority is needed:
`https://IP:PORT#sha256:HEX`.
"""

import hashlib
import hmac
import socket
import ssl
import tempfile
from datetime import UTC, datetime, timedelta

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from cluster.wire.keys import KUBELET_TOKEN, derived_token
from node_agent.config import AgentConfig

SHUTDOWN_SECONDS = 1.0
LINE_BYTES_MAX = 256 * 1024  # what control reads of a command, percent-encoded once more
CERTIFICATE_DAYS = 3650


class KubeletServer:
    """The listeners of one node's diagnostics and logs."""

    def __init__(self, config: AgentConfig, key: bytes) -> None:
        self._path = config.socket
        self._token = derived_token(key, KUBELET_TOKEN).encode()
        self._tls: ssl.SSLContext | None = None
        self._sock: socket.socket | None = None
        self.advertised = f"unix:{config.socket}"
        if config.kubelet_port is not None:
            self._sock = socket.create_server((config.bind, config.kubelet_port))
            self._tls, fingerprint = _own_certificate(config.name)
            port = self._sock.getsockname()[1]
            self.advertised = f"https://{config.advertise}:{port}#sha256:{fingerprint}"
        self._runner: web.AppRunner | None = None

    async def start(self, app: web.Application) -> None:
        """Listen."""
        app.middlewares.append(self._guard)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=SHUTDOWN_SECONDS,
            max_line_size=LINE_BYTES_MAX,
        )
        await self._runner.setup()
        self._path.unlink(missing_ok=True)  # of a process that was killed
        await web.UnixSite(self._runner, str(self._path)).start()
        self._path.chmod(0o600)
        if self._sock is not None:
            await web.SockSite(self._runner, self._sock, ssl_context=self._tls).start()

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()
        self._path.unlink(missing_ok=True)

    @property
    def _guard(self) -> Middleware:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            """Over TLS only who knows the cluster key; the Unix socket is its owner's alone."""
            tls = request.transport is not None and request.transport.get_extra_info("ssl_object")
            given = request.headers.get("Authorization", "").removeprefix("Bearer ")
            shown = given.encode(errors="surrogateescape")  # any bytes: strings must be ASCII
            if tls and not hmac.compare_digest(shown, self._token):
                raise web.HTTPUnauthorized(text="the kubelet API wants the cluster's token\n")
            return await handler(request)

        return guard


def _own_certificate(name: str) -> tuple[ssl.SSLContext, str]:
    """A TLS context with a certificate of its own, and the certificate's SHA-256."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{name}")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(certificate.public_bytes(pem) + private)
        pair.flush()
        context.load_cert_chain(pair.name)
    der = certificate.public_bytes(serialization.Encoding.DER)
    return context, hashlib.sha256(der).hexdigest()
