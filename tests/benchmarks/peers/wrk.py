"""wrk: an HTTP load generator, and what it says."""

import os
import re
import subprocess
from dataclasses import dataclass

from tests.benchmarks.peers.ports import Address
from tests.benchmarks.peers.programs import needed

CLIENTS_MAX = 256
SECONDS_MAX = 10
TIMEOUT_SECONDS = 5
_QUANTILE = re.compile(r"^ +(50|99)% +([\d.]+)(us|ms|s|m)$", re.MULTILINE)
_REQUESTS = re.compile(r"(\d+) requests in ")
_RATE = re.compile(r"Requests/sec: +([\d.]+)")
_SOCKET = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_STATUS = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_UNIT = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True)
class Wrk:
    """What came of one run."""

    requests: int
    per_second: float
    p50: float  # seconds
    p99: float
    failed: int  # not connected, reset, closed early, or without an answer in time
    wrong: int  # answered, but with neither 2xx nor 3xx
    cpu: float  # its own, seconds

    @property
    def lost(self) -> int:
        """Whatever went wrong."""
        return self.failed + self.wrong


def wrk(
    address: Address, clients: int, seconds: int, *, close: bool = False, path: str = "/"
) -> Wrk:
    """So many clients for so long on one thread; with `close`, a connection for each request."""
    if not address[0].startswith("127."):
        raise ValueError(f"{address[0]} is not of this machine")
    if clients > CLIENTS_MAX or seconds > SECONDS_MAX:
        raise ValueError(f"{clients} clients for {seconds} s: too many")
    command = command_line(address, clients, seconds, close=close, path=path)
    process = subprocess.Popen(
        [needed("wrk"), *command[1:]], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    with process.stdout as output:
        said = output.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: {said}")
    return parse(said, usage.ru_utime + usage.ru_stime)


def command_line(
    address: Address, clients: int, seconds: int, *, close: bool = False, path: str = "/"
) -> list[str]:
    """As it stands in the document."""
    header = ["-H", "Connection: close"] if close else []
    url = f"http://{address[0]}:{address[1]}{path}"
    how = ["-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "--timeout", f"{TIMEOUT_SECONDS}s"]
    return ["wrk", *how, *header, url]


def parse(said: str, cpu: float) -> Wrk:
    """Its words as numbers."""
    quantiles = {name: float(n) * _UNIT[unit] for name, n, unit in _QUANTILE.findall(said)}
    requests, rate = _REQUESTS.search(said), _RATE.search(said)
    if requests is None or rate is None or len(quantiles) != 2:
        raise RuntimeError(f"wrk said: {said}")
    failed, wrong = _SOCKET.search(said), _STATUS.search(said)
    return Wrk(
        requests=int(requests[1]),
        per_second=float(rate[1]),
        p50=quantiles["50"],
        p99=quantiles["99"],
        failed=sum(map(int, failed.groups())) if failed else 0,
        wrong=int(wrong[1]) if wrong else 0,
        cpu=cpu,
    )
