"""Where a cluster's files lie: a short run directory for sockets, a state directory for the rest.

Source: docs/architecture.md, "Directories".
"""

import os
import stat
import tempfile
from pathlib import Path

from cluster.dataclass import dataclass
from cluster.errors import ConfigError

SOCKET_PATH_MAX = 103  # sun_path holds 104 bytes on macOS, 108 on Linux, a zero byte included
LONGEST_SOCKET = "launcher.sock"


@dataclass(frozen=True, slots=True)
class Places:
    """The directories of one cluster."""

    run_dir: Path
    state_dir: Path
    pki: Path

    @classmethod
    def of(cls, name: str) -> "Places":
        """By the cluster's name and the environment."""
        state = state_root()
        return cls(run_root() / name, state / name, state / "pki")

    @property
    def control_socket(self) -> Path:
        """The API."""
        return self.run_dir / "control.sock"

    @property
    def launcher_socket(self) -> Path:
        """Where the launcher takes orders."""
        return self.run_dir / "launcher.sock"

    @property
    def cluster_file(self) -> Path:
        """What runs."""
        return self.run_dir / "cluster.json"

    @property
    def key_file(self) -> Path:
        """The key of tunnels and datagrams."""
        return self.run_dir / "cluster.key"

    @property
    def lock_file(self) -> Path:
        """Held by the launcher for as long as it lives."""
        return self.run_dir / "launcher.lock"

    @property
    def store(self) -> Path:
        """The API's objects."""
        return self.state_dir / "store.db"

    @property
    def slot_file(self) -> Path:
        """The address slot it had: a store that is kept holds addresses of it."""
        return self.state_dir / "slot"

    @property
    def kubeconfig(self) -> Path:
        """For kubectl."""
        return self.state_dir / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        """The requests that the API server answered, where they are written down."""
        return self.logs / "audit.log"

    @property
    def logs(self) -> Path:
        """One file a process."""
        return self.state_dir / "logs"

    def make(self) -> None:
        """Make the directories, for their owner alone; ConfigError says what is in the way."""
        longest = len(os.fsencode(self.run_dir / LONGEST_SOCKET))
        if longest > SOCKET_PATH_MAX:
            raise ConfigError(
                f"the run directory {self.run_dir} is too long: its sockets' paths would have "
                f"{longest} bytes, the limit is {SOCKET_PATH_MAX}; set KUBEHOP_RUN_DIR to a "
                "shorter directory or choose a shorter name"
            )
        for directory in (self.run_dir.parent, self.run_dir, self.state_dir, self.logs, self.pki):
            _private(directory)


def run_root() -> Path:
    """Where all run directories lie."""
    given = os.environ.get("KUBEHOP_RUN_DIR")
    # resolved: the temporary directory of macOS is long, of Linux it is /tmp
    return Path(given) if given else Path(_short_temporary()) / f"kubehop-{os.getuid()}"


def state_root() -> Path:
    """Where all state directories lie."""
    given = os.environ.get("KUBEHOP_STATE_DIR")
    return Path(given) if given else Path.home() / ".local" / "state" / "kubehop"


def _short_temporary() -> str:
    return "/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir()


def _private(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        link, found = directory.lstat(), directory.stat()
    except OSError as error:
        raise ConfigError(f"the directory {directory} cannot be made: {error.strerror}") from error
    for each in (link, found):  # a link of somebody else would lead us to files of our own
        if each.st_uid != os.getuid():
            raise ConfigError(
                f"the directory {directory} belongs to user {each.st_uid}, not to you: remove it "
                "or set KUBEHOP_RUN_DIR and KUBEHOP_STATE_DIR"
            )
    if stat.S_IMODE(found.st_mode) & 0o077:
        directory.chmod(0o700)
