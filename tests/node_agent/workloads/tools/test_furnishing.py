"""What is in a root from the beginning."""

from node_agent.workloads.tools.furnishing import tools_mount
from node_agent.workloads.tools.names import TOOLS


async def test_a_container_looks_like_one(container):
    assert (await container.sh("cat /etc/hosts")).out == "127.0.0.1\tlocalhost\n"
    assert (await container.sh("stat -c %a /tmp /root")).out == "1777\n700\n"
    names = (await container.run("ls", "/")).out.split()
    assert {"bin", "dev", "etc", "proc", "root", "tmp", "usr", "var"} <= set(names)
    assert (await container.sh("grep ^root: /etc/passwd")).out.startswith("root:x:0:0")


async def test_every_tool_is_found_in_each_directory_of_tools_and_cannot_be_changed(container):
    listed = (await container.run("ls", "/usr/bin")).out.split()
    assert sorted(listed) == sorted(TOOLS)
    assert (await container.run("/usr/bin/true")).code == 0
    assert (await container.run("/sbin/true")).code == 0
    result = await container.sh("echo x > /bin/true")
    assert (result.code, "Read-only file system" in result.err) == (1, True)


def test_the_directory_of_tools_is_made_once(tmp_path):
    first = tools_mount(tmp_path)
    inode = first.source.stat().st_ino
    assert tools_mount(tmp_path) == first
    assert first.source.stat().st_ino == inode
