"""Where pods' files lie."""

import asyncio

from node_agent.kubelet.pod_files import LazyRoot, NodeFiles
from node_agent.workloads.tools.root import Mount


def test_each_has_its_place(tmp_path):
    files = NodeFiles(tmp_path, "node-1")
    assert files.volume("u", "v") == tmp_path / "node-1/u/volumes/v"
    assert files.persistent("pv") == tmp_path / "persistent/pv"
    assert files.host == tmp_path / "node-1/host"


def test_what_ended_pods_left_is_removed_and_no_more(tmp_path):
    files = NodeFiles(tmp_path, "node-1")
    for uid in ("kept", "left"):
        files.volume(uid, "v").mkdir(parents=True)
    (files.host / "data").mkdir(parents=True)
    (files.node / "left" / "link").symlink_to(files.node / "kept")
    files.keep_only(["kept"])
    assert sorted(each.name for each in files.node.iterdir()) == ["host", "kept"]
    assert files.volume("kept", "v").is_dir()
    files.remove("kept")
    files.remove("never was")
    assert [each.name for each in files.node.iterdir()] == ["host"]


async def test_a_root_is_made_when_it_is_asked_for_and_once(tmp_path):
    asked = []
    (tmp_path / "volume").mkdir()

    async def mounts():
        asked.append(1)
        await asyncio.sleep(0)
        return [Mount("/data", tmp_path / "volume")]

    root = LazyRoot(
        files=NodeFiles(tmp_path / "files", "node-1"),
        uid="u",
        container="app",
        texts=lambda: {"etc/hosts": "hosts\n"},
        virtual={},
        mounts=mounts,
    )
    assert not (tmp_path / "files").exists()
    first, second = await asyncio.gather(root(), root())
    assert first is second and asked == [1]
    assert first.locate("/data").real == tmp_path / "volume"
    assert (root.directory / "etc/hosts").read_text() == "hosts\n"
    assert (root.directory / "data").resolve() == tmp_path / "volume"


async def test_a_new_run_has_a_new_root(tmp_path):
    async def mounts():
        return []

    files = NodeFiles(tmp_path, "node-1")
    for _ in range(2):
        root = LazyRoot(
            files=files, uid="u", container="app", texts=dict, virtual={}, mounts=mounts
        )
        await root()
        assert not (root.directory / "tmp/mark").exists()
        (root.directory / "tmp/mark").touch()
