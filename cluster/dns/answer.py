"""The answer to a question: the records of the type asked for, or the right kind of no.

NXDOMAIN says that the name does not exist, NODATA (NOERROR without answers) that it has no record
of this type; both carry the zone's SOA, so that resolvers may remember them (D-57, D-145).
Pure: a zone and a question in, an answer out.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from cluster.dataclass import dataclass
from cluster.dns.lookup import Entry, Found, Missing, look_up, server_of
from cluster.dns.schema import REVERSE_ZONES, origin_of
from cluster.dns.zone_objects import NO_PORT
from cluster.wire.dns import IN, Address, Question, Rcode, Record, RRType, Soa, Srv, Target, Text

if TYPE_CHECKING:
    from cluster.dns.zone import Zone

VERSION_TTL = 28800  # D-1
SOA_TTL_MAX = 300  # D-5
SOA_REFRESH, SOA_RETRY, SOA_EXPIRE = 7200, 1800, 86400
CNAMES_MAX = 10  # D-46
SRV_WEIGHT_WHOLE = 100
ROOT = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer's sections and why it is what it is.

    `external` is a name outside the zone whose addresses belong behind the last CNAME: whoever can
    look it up appends them (D-43).
    """

    rcode: int = Rcode.NOERROR
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    authoritative: bool = True
    origin: str = ""  # the zone it comes from
    external: str | None = None
    reason: str = ""

    foreign: bool = False  # none of our zones holds the name

    @property
    def wants_another(self) -> bool:
        """Whether another server may know: a foreign name, a reverse miss, an alias that leads out.

        A miss in the cluster's own zone never leaves it (D-67, D-120).
        """
        reverse_miss = self.rcode == Rcode.NXDOMAIN and self.origin in REVERSE_ZONES
        return self.foreign or reverse_miss or self.external is not None


def answer(zone: "Zone", question: Question) -> Answer:
    """What a question gets; a name outside the zone is REFUSED (D-66) or exists nowhere."""
    name = question.name.lower()
    origin = origin_of(name, zone.settings.domain)
    if question.rr_class != IN:
        return _refused(f"class {question.rr_class} is not served")  # D-101
    if origin is None:
        return _outside(zone, name)
    if question.type in (RRType.AXFR, RRType.IXFR):
        return _refused("zone transfers are not served")  # D-8
    if question.type == RRType.SOA:
        return _soa_answer(zone, name, origin)
    if question.type == RRType.NS and name == origin:
        return _ns_answer(zone, question, origin)
    found = look_up(zone, name, origin)
    if isinstance(found, Missing):
        rcode = Rcode.NXDOMAIN if zone.synced else Rcode.SERVFAIL  # D-62
        reason = found.reason if zone.synced else f"not synced with the API: {found.reason}"
        return _negative(zone, origin, rcode, reason)
    return _of_type(zone, question, origin, found)


def _of_type(zone: "Zone", question: Question, origin: str, found: Found) -> Answer:
    """The records of the type asked for, NODATA if there are none."""
    additional: tuple[Record, ...] = ()
    answers: tuple[Record, ...] = ()
    external = None
    ttl, name, type_ = zone.settings.ttl, question.name, question.type
    if type_ in (RRType.A, RRType.AAAA):
        answers, external = _addresses(zone, question, found, ())
    elif type_ == RRType.SRV:
        answers, additional = _srv_records(name, found.entries, ttl)
    elif type_ == RRType.CNAME and found.alias:
        answers = (Record(name, RRType.CNAME, ttl, Target(found.alias)),)  # D-44
    elif type_ == RRType.PTR:
        answers = tuple(Record(name, RRType.PTR, ttl, Target(each)) for each in found.names)
    elif type_ == RRType.TXT and found.text:
        answers = (Record(name, RRType.TXT, VERSION_TTL, Text((found.text,))),)
    if not answers:
        return _negative(zone, origin, Rcode.NOERROR, f"{found.reason}: no record of this type")
    return Answer(
        answers=answers,
        additional=additional,
        origin=origin,
        external=external,
        reason=found.reason,
    )


def _outside(zone: "Zone", name: str) -> Answer:
    """A name that is not the cluster's: the emulated internet, where there is one, has no names."""
    reason = f"{name or 'the root'} is outside {zone.settings.domain}"
    if not zone.settings.outside_empty:
        return replace(_refused(reason), foreign=True)
    return replace(
        _negative(zone, ROOT, Rcode.NXDOMAIN, f"{reason}, and the emulated outside has no names"),
        authoritative=False,
        foreign=True,
    )


def _refused(reason: str) -> Answer:
    return Answer(rcode=Rcode.REFUSED, authoritative=False, reason=reason)


def _negative(zone: "Zone", origin: str, rcode: int, reason: str) -> Answer:
    return Answer(rcode=rcode, authority=(soa_record(zone, origin),), origin=origin, reason=reason)


def soa_record(zone: "Zone", origin: str) -> Record:
    """The SOA of a zone (D-5)."""
    ttl = zone.settings.ttl
    soa = Soa(
        mname=f"ns.dns.{origin}".rstrip("."),
        rname=f"hostmaster.{origin}".rstrip("."),
        serial=zone.serial,
        refresh=SOA_REFRESH,
        retry=SOA_RETRY,
        expire=SOA_EXPIRE,
        minimum=ttl,
    )
    return Record(origin, RRType.SOA, min(ttl, SOA_TTL_MAX), soa)


def _soa_answer(zone: "Zone", name: str, origin: str) -> Answer:
    if name != origin:  # NODATA whether or not the name exists (D-7)
        return _negative(zone, origin, Rcode.NOERROR, "only the zone itself has an SOA")
    return Answer(answers=(soa_record(zone, origin),), origin=origin, reason="the zone's SOA")


def _ns_answer(zone: "Zone", question: Question, origin: str) -> Answer:
    """The names of the servers, with their addresses (D-6)."""
    owner, ips = server_of(zone)
    ttl = zone.settings.ttl
    return Answer(
        answers=(Record(question.name, RRType.NS, ttl, Target(owner)),),
        additional=tuple(_address_record(owner, ip, ttl) for ip in ips),
        origin=origin,
        reason="who serves the zone",
    )


def _addresses(
    zone: "Zone", question: Question, found: Found, seen: tuple[str, ...]
) -> tuple[tuple[Record, ...], str | None]:
    """The addresses behind a name, along aliases; and the foreign name where they end."""
    ttl = zone.settings.ttl
    if not found.alias:
        ips = dict.fromkeys(each.ip for each in found.entries)  # D-24: no duplicates
        own = (_address_record(question.name, ip, ttl) for ip in ips)
        return tuple(record for record in own if record.type == question.type), None
    target = found.alias.lower()
    alias = Record(question.name, RRType.CNAME, ttl, Target(found.alias))
    origin = origin_of(target, zone.settings.domain)
    if origin is None:
        return (alias,), found.alias
    behind = look_up(zone, target, origin)
    if target in seen or len(seen) >= CNAMES_MAX or isinstance(behind, Missing):
        return (), None
    onward = Question(found.alias, question.type)
    records, external = _addresses(zone, onward, behind, (*seen, target))
    return ((alias, *records), external) if records else ((), None)  # D-45


def _address_record(owner: str, ip: str, ttl: int) -> Record:
    return Record(owner, RRType.AAAA if ":" in ip else RRType.A, ttl, Address(ip))


def _srv_records(
    name: str, entries: Iterable[Entry], ttl: int
) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
    """SRV for each target and port, and each target's addresses once (D-12, D-16, D-31, D-32)."""
    all_entries = [each for each in entries if each.owner]
    weight = max(1, SRV_WEIGHT_WHOLE // max(1, len(all_entries)))
    with_ports = [each for each in all_entries if each.port != NO_PORT]
    targets = dict.fromkeys(Srv(0, weight, each.port, each.owner) for each in with_ports)
    answers = tuple(Record(name, RRType.SRV, ttl, target) for target in targets)
    owners = dict.fromkeys((each.owner, each.ip) for each in with_ports)
    return answers, tuple(_address_record(owner, ip, ttl) for owner, ip in owners)
