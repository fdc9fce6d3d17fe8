"""`wget [-qS] [--spider] [-O FILE] [-T SECONDS] [--header TEXT] [--post-data TEXT] URL...`"""

import asyncio
import socket
import ssl

from cluster.aio.streams import close
from node_agent.workloads.tools.curl.request import basic
from node_agent.workloads.tools.http import exchange
from node_agent.workloads.tools.http.exchange import Connection, Cut, EmptyReply
from node_agent.workloads.tools.http.message import BadMessage, Framing, Head, framing, request_head
from node_agent.workloads.tools.http.url import BadScheme, BadUrl, Url, parse_url
from node_agent.workloads.tools.process import Failed, Output, Process
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.wget.options import Wanted, file_name, parse_wget, progress

REDIRECTS = (300, 301, 302, 303, 307, 308)
STDOUT = "-"


async def run(process: Process) -> int:
    """Fetch every URL; it ends at the first that fails."""
    wanted = parse_wget(process.arguments)
    for url in wanted.urls:
        await _Fetch(process, wanted).url(url)
    return 0


class _Fetch:
    """One URL."""

    def __init__(self, process: Process, wanted: Wanted) -> None:
        self._process = process
        self._wanted = wanted
        self._files = files_of(process)

    async def url(self, text: str) -> None:
        try:
            await self._redirected(text)
        except TimeoutError:
            raise Failed("download timed out") from None
        except (BadUrl, BadScheme):
            raise Failed(f"not an http or ftp url: {text}") from None
        except EmptyReply:
            raise Failed("error getting response") from None
        except Cut:
            raise Failed("connection closed prematurely") from None
        except BadMessage as error:
            raise Failed(f"bad response: {error}") from None
        except ssl.SSLCertVerificationError as error:
            raise Failed(f"TLS error from peer: {error.verify_message}") from None
        except ssl.SSLError as error:
            raise Failed(f"TLS error: {error.reason or error}") from None
        except BrokenPipeError:  # whoever reads standard output has left
            raise
        except ConnectionError as error:
            raise Failed(f"error getting response: {error.strerror or error}") from None

    async def _redirected(self, text: str) -> None:
        for _ in range(self._wanted.redirects + 1):
            url = parse_url(text)
            async with asyncio.timeout(self._wanted.seconds):
                connection = await self._connect(url)
            try:
                location = await self._fetch(connection, url)
            finally:
                connection.close()
            if not location:
                return
            text = url.joined(location)
        raise Failed("too many redirections")

    async def _connect(self, url: Url) -> Connection:
        try:
            (ip, *_) = await exchange.resolve(url.host, url.port)
        except (socket.gaierror, UnicodeError):
            raise Failed(f"bad address '{url.host}'") from None
        await self._say(f"Connecting to {url.host} ({ip}:{url.port})\n")
        try:
            sock = await exchange.connected(ip, url.port)
        except OSError as error:
            reason = error.strerror or str(error)
            raise Failed(f"can't connect to remote host ({ip}): {reason}") from None
        try:
            context = self._trust() if url.tls else None
        except BaseException:
            close(sock)
            raise
        return await exchange.connection(sock, context, url.host.rstrip("."))

    def _trust(self) -> ssl.SSLContext:
        path = self._wanted.ca or self._process.environ.get("SSL_CERT_FILE", "")
        text = self._files.read(path).decode("ascii", "replace") if path else None
        return exchange.tls_context(ca=text, verify=self._wanted.verify)

    async def _fetch(self, connection: Connection, url: Url) -> str:
        """One request; where it sends us on, if it does."""
        method = "HEAD" if self._wanted.spider and self._wanted.method == "GET" else None
        method = method or self._wanted.method
        async with asyncio.timeout(self._wanted.seconds):
            await connection.send(self._request(method, url))
            head = await connection.head()
            while head.status < 200:
                head = await connection.head()
        await self._show(head)
        if head.status in REDIRECTS and head.value("Location"):
            return head.value("Location")
        if head.status >= 300:
            line = head.raw.partition(b"\r\n")[0].decode("latin-1")
            raise Failed(f"server returned error: {line}")
        if self._wanted.spider:
            await self._say("remote file exists\n")
        else:
            await self._save(connection, method, head, url)
        return ""

    def _request(self, method: str, url: Url) -> bytes:
        wanted = self._wanted
        body: bytes | None = None if wanted.data is None else wanted.data.encode()
        if wanted.data_file:
            body = self._files.read(wanted.data_file)
        given = [text.partition(":") for text in wanted.headers]
        own = [("Host", url.authority), ("User-Agent", wanted.agent), ("Connection", "close")]
        user = wanted.user or url.user
        if user:
            own.append(("Authorization", basic(user)))
        if body is not None:
            own.append(("Content-Type", "application/x-www-form-urlencoded"))
            own.append(("Content-Length", str(len(body))))
        names = {name.strip().lower() for name, _, _ in given}
        headers = [each for each in own if each[0].lower() not in names]
        headers += [(name.strip(), value.strip()) for name, _, value in given]
        return request_head(method, url.target, headers) + (body or b"")

    async def _show(self, head: Head) -> None:
        if self._wanted.server_response:
            lines = head.raw.decode("latin-1").replace("\r\n", "\n").rstrip("\n").split("\n")
            await self._process.stderr.write("".join(f"  {each}\n" for each in lines).encode())

    async def _save(self, connection: Connection, method: str, head: Head, url: Url) -> None:
        name = self._wanted.output or file_name(url.target)
        directory = self._wanted.directory
        path = f"{directory}/{name}" if directory and name != STDOUT else name
        output = self._opened(path)
        quoted = "writing to stdout" if path == STDOUT else f"saving to '{name}'"
        await self._say(quoted + "\n")
        try:
            received = await self._copied(connection, method, head, output)
        finally:
            if path != STDOUT and hasattr(output, "close"):
                output.close()
        total = head.content_length if framing(method, head) is Framing.LENGTH else None
        await self._say(progress(name, received, total))
        await self._say("written to stdout\n" if path == STDOUT else f"'{name}' saved\n")

    def _opened(self, path: str) -> Output:
        from node_agent.workloads.tools.devices import open_output

        if path == STDOUT:
            return self._process.stdout
        if not self._wanted.output and self._files.find(path) is not None:
            raise Failed(f"can't open '{path}': File exists")
        streams = {1: self._process.stdout, 2: self._process.stderr}
        try:
            return open_output(self._files, path, streams)
        except OSError as error:
            raise Failed(f"can't open '{path}': {error.strerror}") from None

    async def _copied(self, connection: Connection, method: str, head: Head, output: Output) -> int:
        """The body to its place; each part must come in time."""
        received, parts = 0, connection.body(method, head)
        try:
            while True:
                async with asyncio.timeout(self._wanted.seconds):
                    part = await anext(parts, b"")
                if not part:
                    return received
                received += len(part)
                await output.write(part)
        finally:
            await parts.aclose()  # type: ignore[attr-defined]

    async def _say(self, text: str) -> None:
        if not self._wanted.quiet:
            await self._process.stderr.write(text.encode())
