"""Which workload an image name stands for.

Pure: names in, a choice out. In this order: an alias the user gave, a built-in by its own name, a
program (`python://module:attribute`), a built-in under the names the world uses for such images,
else the stand-in, so that any manifest comes up and its network can be tried.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from cluster.dataclass import dataclass
from cluster.errors import ConfigError

PYTHON = "python://"
STAND_IN = "stand-in"
TOOL = "tool"  # no image's own name: what a container's command makes of its image

# Each is a module of this package with `run`.
BUILT_IN = {
    "agnhost": "node_agent.workloads.agnhost",
    "coredns": "node_agent.workloads.coredns",
    "echo": "node_agent.workloads.echo",
    "http": "node_agent.workloads.http",
    "pause": "node_agent.workloads.pause",
    "python": "node_agent.workloads.python",
    "sleep": "node_agent.workloads.pause",
    STAND_IN: "node_agent.workloads.stand_in",
    TOOL: "node_agent.workloads.tool",
    "tcp": "node_agent.workloads.tcp",
    "udp": "node_agent.workloads.udp",
}

# Images that hold tools and nothing else: entry point, and the command where a container has none.
# Matched as PUBLISHED is.
SHELL = ((), ("sh",))
TOOLBOXES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "alpine": SHELL,
    "bash": ((), ("bash",)),
    "busybox": SHELL,
    "curl": (("curl",), ("--help",)),
    "debian": ((), ("bash",)),
    "dnsutils": ((), ("sleep", "infinity")),
    "fedora": ((), ("bash",)),
    "jessie-dnsutils": ((), ("sleep", "infinity")),
    "netshoot": SHELL,
    "rockylinux": ((), ("bash",)),
    "ubuntu": ((), ("bash",)),
}

# Repository names without registry, tag and digest; matched at the end of the image's repository.
PUBLISHED = {
    "agnhost": "agnhost",
    "coredns/coredns": "coredns",
    "ealen/echo-server": "echo",
    "hashicorp/http-echo": "http",
    "mendhak/http-https-echo": "echo",
    "pause": "pause",
}


@dataclass(frozen=True, slots=True)
class Image:
    """What an image name resolved to."""

    workload: str  # a key of BUILT_IN
    target: str = ""  # for python: "module:attribute"

    @property
    def module(self) -> str:
        """The Python module that runs it."""
        return BUILT_IN[self.workload]

    @property
    def stand_in(self) -> bool:
        """Whether nobody knows the real program."""
        return self.workload == STAND_IN


@dataclass(frozen=True, slots=True)
class Alias:
    """`--image PATTERN=WORKLOAD`: the images that match run this."""

    pattern: str
    image: Image

    @classmethod
    def parse(cls, text: str) -> "Alias":
        """Read PATTERN=WORKLOAD; ConfigError says what is wrong."""
        pattern, equals, workload = text.partition("=")
        if not (pattern and equals and workload):
            raise ConfigError(f"--image {text!r} is not PATTERN=WORKLOAD")
        image = _own_name(workload)
        if image is None:
            raise ConfigError(
                f"--image {text!r}: there is no workload {workload!r}; "
                f"there are {', '.join(sorted(set(BUILT_IN) - {'python', TOOL}))} "
                "and python://MODULE:ATTRIBUTE"
            )
        return cls(pattern, image)


def resolve(image: str, aliases: Iterable[Alias] = ()) -> Image:
    """The workload of an image; ConfigError when its name cannot be one (InvalidImageName)."""
    if not image or image != image.strip() or any(letter.isspace() for letter in image):
        raise ConfigError(f"couldn't parse image name {image!r}: invalid reference format")
    for alias in aliases:
        if fnmatchcase(image, alias.pattern):
            return alias.image
    return _own_name(image) or _published(image) or Image(STAND_IN)


def repository(image: str) -> str:
    """The image without registry, tag and digest: "registry.k8s.io/pause:3.9" is "pause"."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    name = head + slash + last.partition(":")[0]
    first, slash, rest = name.partition("/")
    has_registry = slash and ("." in first or ":" in first or first == "localhost")
    return rest if has_registry else name


def _own_name(image: str) -> Image | None:
    if image.startswith(PYTHON):
        return _program(image)
    name = image.partition(":")[0]
    return Image(name) if name in BUILT_IN and name not in ("python", TOOL) else None


def _program(image: str) -> Image:
    target = image.removeprefix(PYTHON)
    module, colon, attribute = target.partition(":")
    names = [*module.split("."), *attribute.split(".")]
    if not colon or not all(name.isidentifier() for name in names):
        raise ConfigError(
            f"couldn't parse image name {image!r}: it is not python://MODULE:ATTRIBUTE"
        )
    return Image("python", target)


def _published(image: str) -> Image | None:
    name = repository(image)
    for known, workload in PUBLISHED.items():
        if name == known or name.endswith("/" + known):
            return Image(workload)
    return None


def toolbox(image: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Entry point and default command of an image that holds tools; None for any other."""
    return TOOLBOXES.get(repository(image).rpartition("/")[2])
