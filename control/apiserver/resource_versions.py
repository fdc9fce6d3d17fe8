"""Which version of the store a list or a watch is to show.

Pure: query parameters in, values or refusals in upstream's words out.
Source: kubernetes.io, "Kubernetes API Concepts", Resource versions; Streaming lists.
"""

from collections.abc import Mapping
from typing import NamedTuple

from cluster.dataclass import dataclass
from cluster.errors import ApiError
from cluster.objects.resources import Resource
from control.apiserver import statuses
from control.apiserver.paths import flag

EXACT, NOT_OLDER = "Exact", "NotOlderThan"
MATCH, INITIAL = "resourceVersionMatch", "sendInitialEvents"
LIST_OPTIONS = Resource("meta.k8s.io", "v1", "", "ListOptions")
RETRY_SECONDS = 1
DIGITS_MAX = 20  # of 64 bits


class _Wrong(NamedTuple):
    field: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a watch begins."""

    version: int | None = None  # None: now
    present: bool = True  # tell what is there first
    marked: bool = False  # and then that this was all: a streaming list


def list_version(query: Mapping[str, str]) -> tuple[int | None, bool]:
    """The version that a list has to have reached, and whether it has to be that one."""
    text, match = query.get("resourceVersion", ""), query.get(MATCH, "")
    wrong = []
    if match and not text:
        words = f"{MATCH} is forbidden unless resourceVersion is provided"
        wrong.append(_forbidden(MATCH, words))
    if match and query.get("continue"):
        wrong.append(_forbidden(MATCH, f"{MATCH} is forbidden when continue is provided"))
    if match not in ("", EXACT, NOT_OLDER):
        wrong.append(_unsupported(match, f'"{EXACT}", "{NOT_OLDER}", ""'))
    if match == EXACT and text == "0":
        words = f'{MATCH} "exact" is forbidden for resourceVersion "0"'
        wrong.append(_forbidden(MATCH, words))
    if INITIAL in query:
        wrong.append(_forbidden(INITIAL, f"{INITIAL} is forbidden for list"))
    _refuse(wrong)
    if query.get("continue") and text not in ("", "0"):
        words = "specifying resource version is not allowed when using continue"
        raise statuses.bad_request(words)
    paged = query.get("limit", "0") not in ("", "0")
    return number_of(text), match == EXACT or (paged and not match and text not in ("", "0"))


def watch_begin(query: Mapping[str, str]) -> Begin:
    """Where a watch begins; only who may hear bookmarks can be told where a list ends."""
    match, asked = query.get(MATCH, ""), INITIAL in query
    wrong = []
    if asked and match != NOT_OLDER:
        words = f"{INITIAL} requires setting {MATCH} to {NOT_OLDER}"
        wrong.append(_forbidden(MATCH, words))
    if match and not asked:
        words = f"{MATCH} is forbidden for watch unless {INITIAL} is provided"
        wrong.append(_forbidden(MATCH, words))
    if match not in ("", NOT_OLDER):
        wrong.append(_unsupported(match, f'"{NOT_OLDER}"'))
    if match and query.get("continue"):
        wrong.append(_forbidden(MATCH, f"{MATCH} is forbidden when continue is provided"))
    _refuse(wrong)
    version = number_of(query.get("resourceVersion", ""))
    if not asked:
        return Begin(version, present=version is None)
    present = flag(query, INITIAL)
    return Begin(version, present, present and flag(query, "allowWatchBookmarks"))


def number_of(text: str) -> int | None:
    """A version as a client says it; None for whatever there is."""
    if text in ("", "0"):
        return None
    if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX:
        return int(text)
    words = f'Invalid value: "{text}": a resourceVersion is a whole number'
    raise statuses.bad_request(f"invalid resource version: {words}")


def not_yet(wanted: int, held: int) -> ApiError:
    """A list of the future: of another store, most likely; clients then list anew."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    words = f"Timeout: Too large resource version: {wanted}, current: {held}"
    details = {"causes": [cause], "retryAfterSeconds": RETRY_SECONDS}
    return statuses.refusal(504, "Timeout", words, details)


def _forbidden(field: str, words: str) -> _Wrong:
    return _Wrong(field, "FieldValueForbidden", f"Forbidden: {words}")


def _unsupported(match: str, known: str) -> _Wrong:
    words = f'Unsupported value: "{match}": supported values: {known}'
    return _Wrong(MATCH, "FieldValueNotSupported", words)


def _refuse(wrong: list[_Wrong]) -> None:
    if wrong:
        raise statuses.invalid(LIST_OPTIONS, "", wrong)
