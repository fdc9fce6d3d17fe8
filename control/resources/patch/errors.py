"""What is wrong with a patch.

Pure: values only.
"""

from typing import ClassVar

from cluster.errors import ClusterError


class PatchError(ClusterError):
    """A patch does not fit the document."""

    code: ClassVar[int] = 422


class MalformedPatch(PatchError):
    """A patch cannot be read."""

    code = 400


class PatchTooLarge(PatchError):
    """A patch has more operations than the server carries out."""

    code = 413
