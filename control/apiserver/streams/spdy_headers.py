"""The header blocks of SPDY/3: names and values, compressed in one context for each direction.

    | number of pairs | length | name | length | value | ...      numbers have 4 bytes

zlib with the protocol's fixed dictionary, flushed after each block. A block that is not what it
should be, or unpacks to more than BLOCK_BYTES_MAX, is a WireError: it is never unpacked further.

Pure: bytes in, headers out, and back. Source: draft-mbelshe-httpbis-spdy-00, section 2.6.10.
"""

import struct
import zlib
from collections.abc import Mapping

from cluster.errors import WireError

BLOCK_BYTES_MAX = 64 * 1024
PAIRS_MAX = 256
# The dictionary: words with their lengths, then running text.
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language "
    "accept-ranges age allow authorization cache-control connection content-base content-encoding "
    "content-language content-length content-location content-md5 content-range content-type date "
    "etag expect expires from host if-match if-modified-since if-none-match if-range "
    "if-unmodified-since last-modified location max-forwards pragma proxy-authenticate "
    "proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200|OK version HTTP/1.1 url "
    "public set-cookie keep-alive origin"
)
_TEXT = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
    "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age="
    "gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _sized(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


DICTIONARY = (
    b"".join(_sized(word.replace("|", " ").encode()) for word in _WORDS.split(" ")) + _TEXT.encode()
)


class HeaderWriter:
    """Packs the headers that one side sends, block after block."""

    def __init__(self) -> None:
        self._zlib = zlib.compressobj(zdict=DICTIONARY)

    def pack(self, headers: Mapping[str, str]) -> bytes:
        """One block."""
        pairs = (part.encode("latin-1") for pair in headers.items() for part in pair)
        plain = struct.pack(">I", len(headers)) + b"".join(map(_sized, pairs))
        return self._zlib.compress(plain) + self._zlib.flush(zlib.Z_SYNC_FLUSH)


class HeaderReader:
    """Unpacks the headers that one side receives, block after block."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(zdict=DICTIONARY)

    def unpack(self, block: bytes) -> dict[str, str]:
        """One block; names in lower case, the first of several values."""
        try:
            plain = self._zlib.decompress(block, BLOCK_BYTES_MAX)
        except zlib.error as error:
            raise WireError(f"a header block cannot be unpacked: {error}") from error
        if self._zlib.unconsumed_tail or self._zlib.eof:
            raise WireError(f"a header block unpacks to more than {BLOCK_BYTES_MAX} bytes, or ends")
        return _pairs(plain)


def _pairs(plain: bytes) -> dict[str, str]:
    texts = _texts(plain)
    headers: dict[str, str] = {}
    for name, value in zip(texts[::2], texts[1::2], strict=True):
        headers.setdefault(name.lower(), value.partition("\0")[0])
    return headers


def _texts(plain: bytes) -> list[str]:
    """Names and values in turn."""
    count, at = _number(plain, 0), 4
    if count > PAIRS_MAX:
        raise WireError(f"a header block of {count} pairs, the limit is {PAIRS_MAX}")
    texts: list[str] = []
    for _ in range(2 * count):
        start = at + 4
        at = start + _number(plain, at)
        if at > len(plain):
            raise WireError("a header block ends within a header")
        texts.append(plain[start:at].decode("latin-1"))
    return texts


def _number(plain: bytes, at: int) -> int:
    if at + 4 > len(plain):
        raise WireError("a header block ends within a number")
    return int.from_bytes(plain[at : at + 4], "big")
