"""Nothing leads out of a container's root."""

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node_agent.workloads.tools import root as module
from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.root import Mount, Root, disk_usage


@pytest.fixture
def outside(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("of the machine")
    return secret


@pytest.fixture
def root(tmp_path, outside):
    directory = tmp_path / "root"
    (directory / "etc").mkdir(parents=True)
    (directory / "etc/passwd").write_text("of the container")
    return Root(directory)


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "/../secret",
        "/etc/../../secret",
        "../../../../../../secret",
        "etc/../../secret",
    ],
)
def test_dots_stop_at_the_root(root, path):
    assert root.locate(path).real == root.directory / "secret"


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../../../../etc/passwd", "/../../etc/passwd", "etc/passwd"]
)
def test_a_link_is_followed_inside(root, target):
    (root.directory / "link").symlink_to(target)
    assert root.locate("/link").real == root.directory / "etc/passwd"
    assert Files(root).read("/link") == b"of the container"


def test_a_link_to_the_machines_files_leads_nowhere(root, outside):
    (root.directory / "link").symlink_to(outside)
    (root.directory / "up").symlink_to("../..")
    for path in ("/link", "/up/secret"):
        with pytest.raises(FileNotFoundError) as error:
            Files(root).read(path)
        assert error.value.filename == path
    Files(root).create("/link" + "x").close()
    with pytest.raises(FileNotFoundError):
        Files(root).create("/link").close()
    assert outside.read_text() == "of the machine"


def test_links_in_a_circle_end(root):
    (root.directory / "a").symlink_to("b")
    (root.directory / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links") as error:
        root.locate("/a")
    assert error.value.errno == errno.ELOOP


PARTS = st.sampled_from(["..", ".", "etc", "link", "up", "d", "", "passwd", "mnt"])


@given(path=st.lists(PARTS, max_size=8).map("/".join))
def test_any_path_is_inside_or_an_error(tmp_path_factory, path):
    base = tmp_path_factory.mktemp("any")
    directory, volume = base / "root", base / "volume"
    (directory / "etc").mkdir(parents=True)
    volume.mkdir()
    (directory / "link").symlink_to("/..//../etc")
    (directory / "up").symlink_to("../../..")
    (volume / "up").symlink_to("../../etc")
    root = Root.of(directory, [Mount("/mnt", volume)])
    try:
        real = root.locate("/" + path).real
    except OSError:
        return
    inside = os.path.realpath(real.parent)
    assert inside.startswith((str(directory), str(volume))) or real in (directory, volume)


def test_a_mount_is_seen_at_its_path_and_keeps_its_own_links_inside(tmp_path, root):
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "key").write_text("value")
    (volume / "out").symlink_to("../../secret")
    (volume / "abs").symlink_to("/etc/passwd")
    mounted = Root.of(root.directory, [Mount("/etc/config", volume, read_only=True)])
    files = Files(mounted)
    assert files.read("/etc/config/key") == b"value"
    assert files.read("/etc/config/../passwd") == b"of the container"
    assert files.read("/etc/config/abs") == b"of the container"
    assert "config" in files.names("/etc")
    with pytest.raises(FileNotFoundError):
        files.read("/etc/config/out")
    with pytest.raises(OSError, match="Read-only file system"):
        files.create("/etc/config/new")
    with pytest.raises(OSError, match="busy"):
        Files(Root.of(root.directory, [Mount("/data", volume)])).rmdir("/data")


def test_a_file_can_be_mounted(tmp_path, root, outside):
    mounted = Root.of(root.directory, [Mount("/etc/one.conf", outside, read_only=True)])
    assert Files(mounted).read("/etc/one.conf") == b"of the machine"


def test_files_have_a_limit_and_removing_makes_room(root, monkeypatch):
    monkeypatch.setattr(module, "WRITTEN_BYTES_MAX", 4000)
    files = Files(root)
    output = files.create("/big")
    output.put(b"x" * 2000)
    with pytest.raises(OSError, match="No space left"):
        output.put(b"x" * 2000)
    output.close()
    files.remove("/big")
    other = files.create("/other")
    other.put(b"x" * 2000)
    other.close()
    held = len("of the container") + 2000
    assert disk_usage(root.directory) - held == 3 * module.ENTRY_BYTES


def test_empty_files_and_volumes_count_too(tmp_path, root, monkeypatch):
    monkeypatch.setattr(module, "WRITTEN_BYTES_MAX", 20_000)
    (tmp_path / "volume").mkdir()
    files = Files(Root.of(root.directory, [Mount("/v", tmp_path / "volume")]))
    with pytest.raises(OSError, match="No space left"):
        for number in range(100):
            files.create(f"/v/{number}").close()
    assert 10 < len(files.names("/v")) < 40
