"""`curl [OPTION]... URL...`"""

import asyncio
import ssl
import time
from dataclasses import replace

from node_agent.workloads.tools.curl import failures
from node_agent.workloads.tools.curl.failures import CurlError, problem
from node_agent.workloads.tools.curl.options import CurlOptions, CurlUsage, parse_options
from node_agent.workloads.tools.curl.request import (
    REDIRECTS,
    VERSION,
    Request,
    body_of,
    redirected,
    request_of,
)
from node_agent.workloads.tools.curl.screen import Screen
from node_agent.workloads.tools.curl.transfer import Transfer
from node_agent.workloads.tools.curl.write_out import Result, unknown, written
from node_agent.workloads.tools.http.exchange import tls_context
from node_agent.workloads.tools.http.message import Head
from node_agent.workloads.tools.http.times import Times
from node_agent.workloads.tools.http.url import BadScheme, BadUrl, Url, parse_url
from node_agent.workloads.tools.process import Output, Process
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.sources import MEMORY_BYTES_MAX, everything

REDIRECTS_MAX = 50
RETRY_SECONDS_MAX = 600.0
ABOUT = f"""curl {VERSION} (kubehop) asyncio
Protocols: http https
Features: SSL libz
"""
HELP = """Usage: curl [options...] <url>
 -d, --data <data>          HTTP POST data
 -f, --fail                 Fail fast with no output on HTTP errors
 -h, --help <category>      Get help for commands
 -i, --include              Include protocol response headers in the output
 -o, --output <file>        Write to file instead of stdout
 -O, --remote-name          Write output to a file named as the remote file
 -s, --silent               Silent mode
 -T, --upload-file <file>   Transfer local FILE to destination
 -u, --user <user:password> Server user and password
 -A, --user-agent <name>    Send User-Agent <name> to server
 -v, --verbose              Make the operation more talkative
 -V, --version              Show version number and quit
"""


async def run(process: Process) -> int:
    """Transfer every URL; the exit code of the last that failed, or 0."""
    try:
        options = parse_options(process.arguments)
    except CurlUsage as error:
        await process.stderr.write(f"{error}\n".encode())
        return error.code
    if options.flags & {"help", "version"}:
        await process.write(HELP if "help" in options else ABOUT)
        return 0
    for name in unknown(options.values.get("write-out", "")):
        await process.stderr.write(f"curl: unknown --write-out variable: '{name}'\n".encode())
    return await Curl(process, options).all()


class Curl:
    """The transfers of one command."""

    def __init__(self, process: Process, options: CurlOptions) -> None:
        self._process = process
        self._options = options
        self._files = files_of(process)
        self._ca: str | None = None
        self._stdin = b""

    async def all(self) -> int:
        """Every URL in turn."""
        code = 0
        try:
            await self._read_ahead()
            body = body_of(self._options, self._read)
        except CurlError as error:
            return await self._complain(error)
        for number, url in enumerate(self._options.urls):
            failed = await self._with_retries(url, number, body)
            code = failed or code
            if failed and "fail-early" in self._options:
                break
        return code

    async def _read_ahead(self) -> None:
        """Read the certificates, and standard input where an option names it."""
        path = self._options.values.get("cacert") or self._process.environ.get("CURL_CA_BUNDLE")
        if path:
            try:
                self._ca = self._files.read(path).decode("ascii", "replace")
            except OSError:
                text = f"error setting certificate file: {path}"
                raise CurlError(failures.NO_CERTIFICATES, text) from None
        named = [value for name, value in self._options.body if name != "data-raw"]
        upload = self._options.values.get("upload-file")
        if any(value.endswith("@-") for value in named) or upload in ("-", "."):
            self._stdin = await everything(self._process.stdin)

    def _read(self, path: str) -> bytes:
        if path == "-":
            return self._stdin
        try:
            return self._files.read(path, MEMORY_BYTES_MAX)
        except OSError as error:
            raise CurlError(failures.READ, f"Failed to open {path}") from error

    def _trust(self) -> ssl.SSLContext:
        try:
            return tls_context(ca=self._ca, verify="insecure" not in self._options)
        except ssl.SSLError:
            path = self._options.values.get("cacert", "")
            text = f"error setting certificate file: {path}"
            raise CurlError(failures.NO_CERTIFICATES, text) from None

    async def _with_retries(self, url: str, number: int, body: bytes | None) -> int:
        left = int(self._options.number("retry"))
        delay, began = 1.0, time.monotonic()
        most = self._options.number("retry-max-time")
        while True:
            result, error = await self._one(url, number, body)
            why = problem(
                result.exit_code,
                result.status,
                refused_counts="retry-connrefused" in self._options,
                all_count="retry-all-errors" in self._options,
            )
            if not left or not why or (most and time.monotonic() - began > most):
                break
            seconds = self._options.number("retry-delay") or delay
            await self._tell_error(error)
            await self._warn(
                f"Problem {why}. Will retry in {seconds:g} seconds. {left} retries left."
            )
            await asyncio.sleep(seconds)
            left, delay = left - 1, min(2 * delay, RETRY_SECONDS_MAX)
        await self._tell_error(error)
        await self._write_out(result)
        return result.exit_code

    async def _one(
        self, text: str, number: int, body: bytes | None
    ) -> tuple[Result, CurlError | None]:
        """One try at a URL."""
        path = self._output_of(number, text)
        opened = (lambda: self._create(path)) if path else (lambda: self._process.stdout)
        screen = Screen(self._process, self._options, opened, bool(path))
        transfer = Transfer(self._options, screen, self._trust)
        transfer.result.url, transfer.result.number = text, number
        transfer.result.filename = path or ""
        error = None
        try:
            await self._timed(transfer, screen, text, body)
        except CurlError as failure:
            error = failure
            await screen.failed()
        finally:
            screen.close()
        result = transfer.result
        result.total = transfer.seconds
        result.exit_code, result.error = (error.code, str(error)) if error else (0, "")
        return result, error

    async def _timed(
        self, transfer: Transfer, screen: Screen, text: str, body: bytes | None
    ) -> None:
        seconds = self._options.number("max-time")
        request = request_of(self._options, _parsed(text), body)
        await screen.begins()
        try:
            async with asyncio.timeout(seconds or None) as timer:
                head = await self._follow(transfer, request)
        except TimeoutError:
            if not timer.expired():
                raise
            raise transfer.out_of_time() from None
        result = transfer.result
        await screen.ended(result.downloaded, transfer.expected, result.uploaded, transfer.seconds)
        if head.status >= 400 and self._options.flags & {"fail", "fail-with-body"}:
            text = f"The requested URL returned error: {head.status}"
            raise CurlError(failures.HTTP_ERROR, text)

    async def _follow(self, transfer: Transfer, request: Request) -> Head:
        """The request, and with -L those that redirects ask for; the last head."""
        most = int(self._options.number("max-redirs", REDIRECTS_MAX))
        while True:
            self._note(transfer.result, request)
            head = await transfer.perform(request)
            self._note_head(transfer.result, request, head)
            location = head.value("Location")
            if head.status not in REDIRECTS or not location:
                return head
            if not self._options.flags & {"location", "location-trusted"}:
                return head
            if most >= 0 and transfer.result.redirects >= most:
                text = f"Maximum ({most}) redirects followed"
                raise CurlError(failures.REDIRECTS, text)
            try:
                request = redirected(request, head.status, location, self._options)
            except (BadUrl, BadScheme) as error:
                raise _bad(error) from None
            transfer.result.redirects += 1
            transfer.result.redirect_seconds = transfer.seconds
            transfer.result.times, transfer.result.downloaded = Times(), 0

    def _note(self, result: Result, request: Request) -> None:
        result.method, result.url_effective = request.method, request.url.text
        result.scheme = request.url.scheme.upper()

    def _note_head(self, result: Result, request: Request, head: Head) -> None:
        result.status, result.http_version = head.status, head.version
        result.content_type, result.headers = head.value("Content-Type"), head.headers
        location = head.value("Location")
        result.redirect_url = request.url.joined(location) if location else ""

    # Output

    def _output_of(self, number: int, url: str) -> str | None:
        """The file that a URL's body goes to; None for standard output."""
        if number >= len(self._options.outputs):
            return None
        path = self._options.outputs[number]
        if path == "-":
            return None
        if path is None:
            path = url.partition("?")[0].partition("://")[2].rpartition("/")[2]
            if not path:
                return "curl_response"
        directory = self._options.values.get("output-dir")
        return f"{directory}/{path}" if directory else path

    def _create(self, path: str) -> Output:
        from node_agent.workloads.tools.devices import open_output

        if "create-dirs" in self._options and "/" in path:
            self._make_directories(path.rpartition("/")[0])
        streams = {1: self._process.stdout, 2: self._process.stderr}
        return open_output(self._files, path, streams)

    def _make_directories(self, path: str) -> None:
        names = path.split("/")
        for count in range(1, len(names) + 1):
            part = "/".join(names[:count])
            if part and not self._files.is_directory(part):
                self._files.mkdir(part)

    async def _write_out(self, result: Result) -> None:
        template = self._options.values.get("write-out", "")
        if template.startswith("@"):
            template = self._read(template[1:]).decode("utf-8", "replace")
        for to_stderr, text in written(template, replace(result)):
            target = self._process.stderr if to_stderr else self._process.stdout
            await target.write(text.encode("utf-8", "surrogateescape"))

    async def _tell_error(self, error: CurlError | None) -> None:
        if error is not None:
            await self._complain(error)

    async def _complain(self, error: CurlError) -> int:
        if not self._options.quiet:
            await self._process.stderr.write(f"curl: ({error.code}) {error}\n".encode())
        return error.code

    async def _warn(self, text: str) -> None:
        if not self._options.quiet:
            await self._process.stderr.write(f"Warning: {text}\n".encode())


def _parsed(text: str) -> Url:
    try:
        return parse_url(text)
    except (BadUrl, BadScheme) as error:
        raise _bad(error) from None


def _bad(error: Exception) -> CurlError:
    if isinstance(error, BadScheme):
        text = f'Protocol "{error}" not supported or disabled in libcurl'
        return CurlError(failures.UNSUPPORTED, text)
    return CurlError(failures.MALFORMED, "URL using bad/illegal format or missing URL")
