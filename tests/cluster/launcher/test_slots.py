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


def test_a_link_among_the_locks_is_passed_over_and_its_target_left_alone(tmp_path: Path):
    secret = tmp_path / "id_key"
    secret.write_text("")
    secret.chmod(0o600)
    directory = tmp_path / "slots"
    directory.mkdir()
    (directory / "0.lock").symlink_to(secret)
    slot = lease_slot(directory)
    assert slot.number == 1
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    slot.release()


def test_the_mode_of_a_lock_that_was_there_is_left_alone(tmp_path: Path):
    secret = tmp_path / "id_key"
    secret.write_text("")
    secret.chmod(0o600)
    directory = tmp_path / "slots"
    directory.mkdir()
    (directory / "0.lock").hardlink_to(secret)
    lease_slot(directory).release()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_a_directory_among_the_locks_is_passed_over(tmp_path: Path):
    (tmp_path / "0.lock").mkdir()
    slot = lease_slot(tmp_path)
    assert slot.number == 1
    slot.release()


def test_a_link_in_place_of_the_directory_is_refused_and_its_target_left_alone(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (tmp_path / "slots").symlink_to(home)
    with pytest.raises(ConfigError, match=r"slots is no directory"):
        lease_slot(tmp_path / "slots")
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert not list(home.iterdir())
