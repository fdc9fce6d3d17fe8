"""A volume's files appear all at once."""

import pytest

from node_agent.kubelet.volume_content import FileContent
from node_agent.kubelet.volume_writer import publish


def held(directory):
    return {each.name: each.read_text() for each in directory.iterdir() if each.name[:2] != ".."}


def test_names_are_links_through_one_link(tmp_path):
    volume = tmp_path / "v"
    assert publish(volume, {"a": FileContent(b"1", 0o400), "d/b": FileContent(b"2")})
    assert (volume / "a").readlink().as_posix() == "..data/a"
    assert (volume / "..data").is_symlink()
    assert ((volume / "a").read_text(), (volume / "d/b").read_text()) == ("1", "2")
    assert (volume / "a").stat().st_mode & 0o777 == 0o400


def test_an_update_changes_all_files_with_one_rename(tmp_path):
    volume = tmp_path / "v"
    publish(volume, {"a": FileContent(b"old"), "gone": FileContent(b"x")})
    before = (volume / "..data").resolve()
    with (volume / "a").open() as reader:
        assert publish(volume, {"a": FileContent(b"new"), "more": FileContent(b"y")})
        assert reader.read() == "old"
    assert held(volume) == {"a": "new", "more": "y"}
    assert not before.exists()
    assert len(list(volume.iterdir())) == 4  # two names, ..data, the directory


def test_what_did_not_change_is_not_written(tmp_path):
    volume = tmp_path / "v"
    files = {"a": FileContent(b"1"), "d/b": FileContent(b"2", 0o600)}
    assert publish(volume, files)
    place = (volume / "..data").resolve()
    assert not publish(volume, files)
    assert (volume / "..data").resolve() == place
    assert publish(volume, {**files, "a": FileContent(b"1", 0o600)})


def test_an_empty_volume(tmp_path):
    assert publish(tmp_path / "v", {})
    assert held(tmp_path / "v") == {}
    assert not publish(tmp_path / "v", {})


def test_files_in_each_others_way_leave_nothing_behind(tmp_path):
    volume = tmp_path / "v"
    for _ in range(2):
        with pytest.raises(OSError, match=r"exists|Not a directory"):
            publish(volume, {"a": FileContent(b"1"), "a/b": FileContent(b"2")})
    assert list(volume.iterdir()) == []
