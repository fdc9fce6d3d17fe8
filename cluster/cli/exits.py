"""The exit statuses of `kubehop`, and which of them an error means.

    0    done                                  6    the name is not known
    1    the cluster could not do it           7    refused, or no way there
    2    wrong arguments, or no such cluster   8    an answer that is not HTTP
                                              22    an HTTP error, with --fail
    130  interrupted                          28    silence until the time-out
    141  nobody reads the output any more     56    connected, then reset

Those on the right are `kubehop curl`'s and have curl's own numbers.
Pure: no I/O. Source: docs/cli.md.
"""

from typing import Final

OK: Final = 0
FAILED: Final = 1
MISUSED: Final = 2
NAME_UNKNOWN: Final = 6
REFUSED: Final = 7
WEIRD_ANSWER: Final = 8
HTTP_ERROR: Final = 22
TIMED_OUT: Final = 28
RESET: Final = 56
INTERRUPTED: Final = 130
OUTPUT_CLOSED: Final = 141

_API_SILENT = (
    "Is the control plane running? `kubehop status` says; it is restarted by itself, so try again"
)


def failure_of(error: Exception) -> tuple[int, str] | None:
    """Status and text of an error that people can act on; None: it is a bug of ours."""
    from cluster.errors import ApiError, ClusterError, ConfigError

    match error:
        case ConfigError():
            return MISUSED, str(error)
        case ApiError():
            return FAILED, f"the API server says: {error}"
        case ClusterError():
            return FAILED, str(error)
        case ConnectionError() | TimeoutError():
            return FAILED, f"{str(error) or type(error).__name__}. {_API_SILENT}"
        case OSError():
            return FAILED, str(error)
        case _:
            return None
