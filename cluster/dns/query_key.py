"""What of a query's bytes its answer depends on: all but the id and the options of its OPT record.

    header, 1 question, 1 additional record | question | 0 | 41 | size | ttl | length | options

Clients send a cookie of their own there, and no answer here depends on any option. Only the plain
form above is touched: whatever is malformed, or has more to it, stays as it is.
Pure: bytes in, bytes out. Spec: RFC 6891 section 6.1, RFC 7873; D-94.
"""

from cluster.wire.dns import HEADER_BYTES, RRType

LABEL_MAX = 63
_COUNTS = bytes((0, 1, 0, 0, 0, 0, 0, 1))  # one question, one additional record
_QUESTION_END = 4  # type and class
_OPT = b"\0" + RRType.OPT.to_bytes(2, "big")
_OPT_BYTES = 11  # root name, type, size, ttl, length
_OPTION_BYTES = 4  # code, length


def without_options(query: bytes) -> bytes:
    """The same query without EDNS options, if its answer is the same; else the query itself."""
    if query[4:HEADER_BYTES] != _COUNTS:
        return query
    at = _after_question(query)
    end = at + _OPT_BYTES
    if at < 0 or query[at : at + len(_OPT)] != _OPT or len(query) <= end:
        return query
    if int.from_bytes(query[end - 2 : end], "big") != len(query) - end:
        return query
    return query[: end - 2] + b"\0\0" if _well_formed(query, end) else query


def _after_question(query: bytes) -> int:
    """Where the question ends; -1 if its name is not made of plain labels."""
    at = HEADER_BYTES
    while at < len(query):
        length = query[at]
        if length > LABEL_MAX:
            return -1
        at += 1 + length
        if not length:
            return at + _QUESTION_END
    return -1


def _well_formed(query: bytes, at: int) -> bool:
    """Whether the options fill the rest of the query."""
    while at + _OPTION_BYTES <= len(query):
        at += _OPTION_BYTES + int.from_bytes(query[at + 2 : at + 4], "big")
    return at == len(query)
