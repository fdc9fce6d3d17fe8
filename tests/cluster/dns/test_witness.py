"""What an answer was read from."""

from typing import Any

import pytest

from cluster.dns.witness import holds, kept, maps_of, witnessed
from cluster.dns.zone import Zone
from cluster.objects.resources import ENDPOINT_SLICES, NAMESPACES, SERVICES


def test_what_is_looked_up_is_noted_and_answers_are_the_same(make: Any, worked: Zone) -> None:
    same, notes = witnessed(worked)
    for name in ("web.ns.svc.Z", "hl.ns.svc.Z", "nope.ns.svc.Z", "x.nons.svc.Z"):
        assert make.ask(same, name) == make.ask(worked, name)
    services = worked.services
    assert notes[0, "nons"] is None and notes[0, "ns"] is True
    assert notes[1, ("ns", "web")] is services.get(("ns", "web"))
    assert notes[1, ("ns", "nope")] is None
    assert (2, ("ns", "hl")) in notes and (2, ("ns", "web")) not in notes


def test_only_changes_of_what_was_looked_up_count(make: Any, worked: Zone) -> None:
    def unchanged(name: str, *changes: Any) -> bool:
        same, notes = witnessed(worked)
        make.ask(same, name)
        return holds(kept(notes), maps_of(worked.with_changes(changes)))

    other = (SERVICES, None, make.service("other", "10.96.0.40"))
    moved = (SERVICES, make.service("web", "10.96.0.20"), make.service("web", "10.96.0.21"))
    fewer = (ENDPOINT_SLICES, make.slice("hl", "10.244.1.5"), make.slice("hl", "10.244.1.5"))
    gone = (NAMESPACES, make.namespace("ns"), None)
    assert unchanged("web.ns.svc.Z", other, fewer)
    assert not unchanged("web.ns.svc.Z", moved)
    assert not unchanged("hl.ns.svc.Z", fewer)
    assert not unchanged("other.ns.svc.Z", other)
    assert unchanged("nope.ns.svc.Z", other, moved, fewer)
    assert not unchanged("nope.ns.svc.Z", gone)


def test_a_whole_map_is_never_read(worked: Zone) -> None:
    same, _ = witnessed(worked)
    with pytest.raises(TypeError, match="whole map"):
        list(same.services)
    with pytest.raises(KeyError):
        same.services["ns", "nope"]
