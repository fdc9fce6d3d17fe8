"""What is wrong with a patch.

Pure: values only.
"""

from cluster.errors import ClusterError

MALFORMED, INAPPLICABLE = 400, 422


class PatchError(ClusterError):
    """A patch cannot be read (400), or does not fit the document (422)."""

    def __init__(self, message: str, code: int = INAPPLICABLE) -> None:
        super().__init__(message)
        self.code = code
