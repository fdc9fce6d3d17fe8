"""Resource records: their types, and the data that each holds.

    A, AAAA             Address       10.96.0.20
    CNAME, NS, PTR      Target        web.default.svc.cluster.local
    SRV                 Srv           0 100 80 web.default.svc.cluster.local      RFC 2782
    SOA                 Soa
    TXT                 Text          strings of at most 255 bytes
    anything else       Opaque        the bytes as they are                       RFC 3597

Pure: bytes in, values out, and back. Data that breaks its type's format is a WireError.
"""

import ipaddress
import struct
from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache

from cluster.dataclass import dataclass
from cluster.errors import WireError
from cluster.wire.dns_names import NameWriter, decode_name

TXT_STRING_BYTES_MAX = 255
TTL_MAX = 2**31 - 1  # RFC 2181 section 8: a greater one counts as 0
IN = 1  # the class of everything here


class RRType(IntEnum):
    """The types this project names; a message may hold any other number."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    MX = 15
    TXT = 16
    AAAA = 28
    SRV = 33
    OPT = 41
    SVCB = 64
    HTTPS = 65
    IXFR = 251
    AXFR = 252
    ANY = 255
    CAA = 257


def type_name(number: int) -> str:
    """A type for people: "A", or "TYPE99" (RFC 3597)."""
    try:
        return RRType(number).name
    except ValueError:
        return f"TYPE{number}"


@dataclass(frozen=True, slots=True)
class Address:
    """A or AAAA: an address in its canonical spelling."""

    ip: str

    def __str__(self) -> str:
        return self.ip


@dataclass(frozen=True, slots=True)
class Target:
    """CNAME, NS or PTR: another name."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Srv:
    """SRV: where a service is."""

    priority: int
    weight: int
    port: int
    target: str

    def __str__(self) -> str:
        return f"{self.priority} {self.weight} {self.port} {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Soa:
    """SOA: who is in charge of a zone; `minimum` is how long its "no" may be remembered."""

    mname: str
    rname: str
    serial: int
    refresh: int
    retry: int
    expire: int
    minimum: int

    def __str__(self) -> str:
        times = f"{self.serial} {self.refresh} {self.retry} {self.expire} {self.minimum}"
        return f"{self.mname} {self.rname} {times}"


@dataclass(frozen=True, slots=True)
class Text:
    """TXT: strings."""

    strings: tuple[bytes, ...]

    def __str__(self) -> str:
        return " ".join(f'"{string.decode("latin-1")}"' for string in self.strings)


@dataclass(frozen=True, slots=True)
class Opaque:
    """Data of a type that is not read here."""

    data: bytes

    def __str__(self) -> str:
        return f"\\# {len(self.data)} {self.data.hex()}"


Data = Address | Target | Srv | Soa | Text | Opaque


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record."""

    name: str
    type: int
    ttl: int
    data: Data
    rr_class: int = IN

    def __str__(self) -> str:
        return f"{self.name}. {self.ttl} IN {type_name(self.type)} {self.data}"


def decode_data(type_: int, message: bytes, start: int, end: int) -> Data:
    """The data of a record, which lies in a message from start to end."""
    decode = _DECODERS.get(type_)
    if decode is None:
        return Opaque(message[start:end])
    data, stop = decode(message, start, end)
    if stop != end:
        what = f"{type_name(type_)} data of {end - start} bytes"
        raise WireError(f"{what} ends after {stop - start}")
    return data


Decoded = tuple[Data, int]


def _decode_a(message: bytes, start: int, end: int) -> Decoded:
    if end - start != 4:
        raise WireError(f"an IPv4 address of {end - start} bytes")
    return Address(address_text(message[start:end])), end


def _decode_aaaa(message: bytes, start: int, end: int) -> Decoded:
    if end - start != 16:
        raise WireError(f"an IPv6 address of {end - start} bytes")
    return Address(address_text(message[start:end])), end


def _decode_target(message: bytes, start: int, _: int) -> Decoded:
    name, stop = decode_name(message, start)
    return Target(name), stop


_SRV = struct.Struct("!HHH")
_SOA_TIMES = struct.Struct("!IIIII")


def _decode_srv(message: bytes, start: int, end: int) -> Decoded:
    if end - start < _SRV.size:
        raise WireError(f"SRV data of {end - start} bytes")
    priority, weight, port = _SRV.unpack_from(message, start)
    target, stop = decode_name(message, start + _SRV.size)
    return Srv(priority, weight, port, target), stop


def _decode_soa(message: bytes, start: int, end: int) -> Decoded:
    mname, middle = decode_name(message, start)
    rname, times = decode_name(message, middle)
    if end - times < _SOA_TIMES.size:
        raise WireError(f"SOA data of {end - start} bytes is cut off")
    serial, refresh, retry, expire, minimum = _SOA_TIMES.unpack_from(message, times)
    soa = Soa(
        mname=mname,
        rname=rname,
        serial=serial,
        refresh=refresh,
        retry=retry,
        expire=expire,
        minimum=minimum,
    )
    return soa, times + _SOA_TIMES.size


def _decode_text(message: bytes, start: int, end: int) -> Decoded:
    strings = []
    while start < end:
        length = message[start]
        if start + 1 + length > end:
            raise WireError(f"a TXT string of {length} bytes runs past its record")
        strings.append(message[start + 1 : start + 1 + length])
        start += 1 + length
    return Text(tuple(strings)), start


_DECODERS: dict[int, Callable[[bytes, int, int], Decoded]] = {
    RRType.A: _decode_a,
    RRType.AAAA: _decode_aaaa,
    RRType.CNAME: _decode_target,
    RRType.NS: _decode_target,
    RRType.PTR: _decode_target,
    RRType.SRV: _decode_srv,
    RRType.SOA: _decode_soa,
    RRType.TXT: _decode_text,
}


def encode_data(data: Data, out: bytearray, names: NameWriter) -> None:
    """Append a record's data; the target of SRV stays uncompressed (RFC 2782)."""
    match data:
        case Address(ip):
            out += address_bytes(ip)
        case Target(name):
            names.write(name)
        case Srv(priority, weight, port, target):
            out += _SRV.pack(priority, weight, port)
            names.write(target, compress=False)
        case Soa():
            names.write(data.mname)
            names.write(data.rname)
            times = (data.serial, data.refresh, data.retry, data.expire, data.minimum)
            out += _SOA_TIMES.pack(*times)
        case Text(strings):
            for string in strings:
                if len(string) > TXT_STRING_BYTES_MAX:
                    raise WireError(f"a TXT string of {len(string)} bytes, the limit is 255")
                out.append(len(string))
                out += string
        case Opaque(raw):
            out += raw


@lru_cache(maxsize=65536)
def address_bytes(ip: str) -> bytes:
    """An address as it stands on the wire."""
    return ipaddress.ip_address(ip).packed


@lru_cache(maxsize=65536)
def address_text(raw: bytes) -> str:
    """An address in its canonical spelling."""
    return str(ipaddress.ip_address(raw))
