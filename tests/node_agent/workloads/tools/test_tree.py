"""A walk through directories."""

import pytest

from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.root import Root
from node_agent.workloads.tools.tree import below, walk


@pytest.fixture
def files(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/f").touch()
    (tmp_path / "a/loop").symlink_to("..")
    return Files(Root(tmp_path))


def test_directories_come_before_or_after_what_is_in_them_and_links_are_not_followed(files):
    assert [each.path for each in walk(files, "a")] == ["a", "a/b", "a/b/f", "a/loop"]
    paths = [each.path for each in walk(files, "a", bottom_up=True)]
    assert paths == ["a/b/f", "a/b", "a/loop", "a"]
    assert [each.path for each in walk(files, "/a", depth_max=1)] == ["/a", "/a/b", "/a/loop"]


def test_entries_know_what_they_are(files):
    kinds = {
        each.path: (each.is_directory, each.is_file, each.is_link) for each in walk(files, "a")
    }
    assert kinds["a/b"] == (True, False, False)
    assert kinds["a/b/f"] == (False, True, False)
    assert kinds["a/loop"] == (False, False, True)


def test_the_first_has_to_be_there(files):
    with pytest.raises(FileNotFoundError):
        list(walk(files, "nope"))
    assert (below("/", "x"), below("a", "x")) == ("/x", "a/x")
