"""Address slots and their leases."""

import os
import stat
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.launcher import slots
from cluster.launcher.slots import lease_slot, remember_slot, remembered_slot


def test_two_clusters_have_two_slots_and_one_that_ends_gives_its_own_back(tmp_path: Path):
    first, second = lease_slot(tmp_path), lease_slot(tmp_path)
    assert (first.number, second.number) == (0, 1)
    first.release()
    third = lease_slot(tmp_path)
    assert third.number == 0
    second.release()
    third.release()


def test_a_slot_is_a_range_of_addresses(tmp_path: Path):
    slot = lease_slot(tmp_path, preferred=7)
    assert slot.address(3) == "127.64.7.3"
    assert slot.load_balancers == "127.65.7.0/24"
    slot.release()


def test_the_preferred_slot_is_given_when_it_is_free(tmp_path: Path):
    wanted = lease_slot(tmp_path, preferred=5)
    other = lease_slot(tmp_path, preferred=5)
    assert (wanted.number, other.number) == (5, 0)
    wanted.release()
    other.release()


@pytest.mark.parametrize("impossible", [-1, 254, 1000])
def test_a_preferred_slot_that_is_none_is_passed_over(tmp_path: Path, impossible: int):
    slot = lease_slot(tmp_path, preferred=impossible)
    assert slot.number == 0
    slot.release()


def test_when_all_are_taken_it_says_how_many_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(slots, "SLOTS", range(2))
    taken = [lease_slot(tmp_path), lease_slot(tmp_path)]
    with pytest.raises(ConfigError, match=r"all 2 address slots in .* are taken: end a cluster"):
        lease_slot(tmp_path)
    for each in taken:
        each.release()


def test_all_users_of_the_machine_may_lease(tmp_path: Path):
    directory = tmp_path / "slots"
    slot = lease_slot(directory)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o1777
    assert stat.S_IMODE((directory / "0.lock").stat().st_mode) == 0o666
    slot.release()


def test_a_lock_file_that_may_not_be_opened_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real = os.open

    def forbidden(path: Path, *arguments: int) -> int:
        if Path(path).name == "0.lock":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *arguments)

    monkeypatch.setattr(os, "open", forbidden)
    slot = lease_slot(tmp_path)
    assert slot.number == 1
    slot.release()


def test_a_lease_is_not_inherited_by_programs_that_are_started(tmp_path: Path):
    slot = lease_slot(tmp_path)
    assert not os.get_inheritable(slot._descriptor)
    slot.release()


def test_a_cluster_remembers_its_slot(tmp_path: Path):
    slot = lease_slot(tmp_path, preferred=9)
    remember_slot(tmp_path / "slot", slot)
    assert remembered_slot(tmp_path / "slot") == 9
    slot.release()


def test_a_new_cluster_and_a_broken_memory_remember_nothing(tmp_path: Path):
    (tmp_path / "slot").write_text("nine")
    assert remembered_slot(tmp_path / "slot") is None
    assert remembered_slot(tmp_path / "nowhere") is None


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"cannot be made"):
        lease_slot(tmp_path / "file" / "slots")
