"""Where a cluster's files lie (docs/architecture.md, "Directories")."""

import os
import stat
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.launcher.places import SOCKET_PATH_MAX, Places


def test_sockets_and_state_lie_where_the_environment_says(places: Places, tmp_path: Path):
    assert places.run_dir == tmp_path / "run" / "demo"
    assert places.state_dir == tmp_path / "state" / "demo"
    assert places.pki == tmp_path / "state" / "pki"  # one for every cluster of the user


def test_without_an_environment_it_is_the_users_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("KUBEHOP_RUN_DIR", raising=False)
    monkeypatch.delenv("KUBEHOP_STATE_DIR", raising=False)
    monkeypatch.setenv("HOME", "/home/ada")
    places = Places.of("default")
    assert places.run_dir == Path(f"/tmp/kubehop-{os.getuid()}/default")
    assert places.state_dir == Path("/home/ada/.local/state/kubehop/default")


def test_directories_are_for_their_owner_alone_also_where_they_were_open(places: Places):
    places.run_dir.chmod(0o755)
    places.make()
    for directory in (places.run_dir.parent, places.run_dir, places.state_dir, places.pki):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_run_directory_too_long_for_sockets_is_named_with_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("KUBEHOP_RUN_DIR", str(tmp_path / ("x" * SOCKET_PATH_MAX)))
    with pytest.raises(ConfigError, match=r"too long.*the limit is 103; set KUBEHOP_RUN_DIR"):
        Places.of("demo").make()


def test_what_is_in_the_way_of_a_directory_is_named(places: Places, tmp_path: Path):
    (tmp_path / "file").write_text("")
    blocked = Places(tmp_path / "file" / "demo", places.state_dir, places.pki)
    with pytest.raises(ConfigError, match=r"file cannot be made|demo cannot be made"):
        blocked.make()


def test_a_directory_of_somebody_else_is_not_used(places: Places, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "getuid", lambda: places.run_dir.stat().st_uid + 1)
    with pytest.raises(ConfigError, match=r"not to you: remove it or set KUBEHOP_RUN_DIR"):
        places.make()


def test_a_link_of_somebody_else_to_a_directory_of_ours_is_not_used(
    places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    home = tmp_path / "home"
    home.mkdir()
    places.run_dir.rmdir()
    places.run_dir.parent.rmdir()
    places.run_dir.parent.symlink_to(home)
    real = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        found = real(path)
        if path != places.run_dir.parent:
            return found
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:10]))

    monkeypatch.setattr(Path, "lstat", lstat)
    with pytest.raises(ConfigError, match=r"belongs to user \d+, not to you"):
        places.make()


def test_each_file_has_one_place(places: Places):
    in_run = (
        places.control_socket,
        places.launcher_socket,
        places.cluster_file,
        places.key_file,
        places.lock_file,
    )
    in_state = (places.store, places.kubeconfig, places.logs, places.slot_file)
    assert {each.parent for each in in_run} == {places.run_dir}
    assert {each.parent for each in in_state} == {places.state_dir}
    assert len({*in_run, *in_state}) == 9
