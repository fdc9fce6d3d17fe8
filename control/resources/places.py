"""Where in a document something is: a chain of names and indexes, spelled out only when it is told.

Pure: values only. Source: k8s.io/apimachinery/pkg/util/validation/field, Path.
"""

Path = tuple["Path | None", str | int]


def spelled(path: Path | None) -> str:
    """As `spec.containers[0].resources.limits[cpu]`."""
    pieces: list[str] = []
    while path is not None:
        path, piece = path
        if isinstance(piece, int):
            pieces.append(f"[{piece}]")
        else:
            pieces.append(piece if piece.startswith("[") or path is None else f".{piece}")
    return "".join(reversed(pieces))


def keyed(path: Path | None, key: str) -> Path:
    """The place of a map's value, as `limits[cpu]`."""
    return path, f"[{key}]"
