"""Calls on files inside a root."""

import pytest

from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.root import Root


@pytest.fixture
def files(tmp_path):
    (tmp_path / "root/d").mkdir(parents=True)
    root = Root(tmp_path / "root", virtual={"/made": lambda: b"at each reading"})
    (root.directory / "made").touch()
    return Files(root, "/d")


def write(files, path, data=b"x", **options):
    output = files.create(path, **options)
    output.put(data)
    output.close()


def test_relative_paths_are_of_the_directory(files):
    write(files, "f")
    assert files.absolute("f") == "/d/f"
    assert files.names("/d") == files.names(".") == ["f"]
    assert files.read("../d/f") == b"x"


def test_an_error_names_the_path_as_it_was_given_and_never_the_machines(files):
    calls = [files.stat, files.names, files.read, files.remove, files.rmdir, files.readlink]
    for call in calls:
        with pytest.raises(OSError, match=r"No such file or directory: 'no/such'") as error:
            call("no/such")
        assert str(files.root.directory) not in str(error.value)


def test_new_files_have_the_modes_that_the_umask_leaves(files):
    write(files, "f")
    assert files.stat("f").st_mode & 0o777 == 0o644
    files.chmod("f", 0o755)
    write(files, "f", b"again")
    assert files.stat("f").st_mode & 0o777 == 0o755


def test_a_directory_stays_one_that_can_be_removed(files):
    files.mkdir("locked")
    files.chmod("locked", 0)
    assert files.stat("locked").st_mode & 0o700 == 0o700


def test_append_exclusive_and_what_is_no_file(files):
    write(files, "f", b"1")
    write(files, "f", b"2", append=True)
    assert files.read("f") == b"12"
    with pytest.raises(FileExistsError):
        files.create("f", exclusive=True)
    with pytest.raises(IsADirectoryError):
        files.read("/d")
    with pytest.raises(NotADirectoryError):
        files.stat("f/")
    with pytest.raises(FileNotFoundError):
        files.read("a\0b")
    with pytest.raises(OSError, match="too long"):
        files.create("x" * 300)


def test_what_is_made_at_each_reading_is_read_only(files):
    assert files.read("/made") == b"at each reading"
    with pytest.raises(OSError, match="Read-only"):
        files.create("/made")


def test_links_rename_and_directories(files):
    files.make_directories("a/b/c")
    files.make_directories("a/b")
    write(files, "a/f")
    files.symlink("a/f", "l")
    files.link("a/f", "h")
    assert files.readlink("l") == "a/f"
    assert files.read("l") == files.read("h") == b"x"
    files.rename("a", "z")
    assert files.find("l") is None and files.find("l", follow=False) is not None
    with pytest.raises(FileExistsError):
        files.make_directories("z/f")
    with pytest.raises(OSError, match="busy"):
        files.rmdir("/")
