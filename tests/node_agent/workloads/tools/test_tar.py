"""Archives: with the machine's own tar in both directions, and with members that mean harm."""

import io
import subprocess
import tarfile

import pytest


def extended(records):
    """An archive whose member has these extended headers."""
    info = tarfile.TarInfo("header")
    info.type, info.size = tarfile.XHDTYPE, len(records)
    return info.tobuf() + records.ljust(512, b"\0") + archive(("a", b""))


def archive(*members, compress=""):
    """(name, data, changes) each; data None is a directory."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=f"w:{compress}") as tar:
        for name, data, *changes in members:
            info = tarfile.TarInfo(name)
            info.size = len(data or b"")
            info.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
            info.mode = 0o755 if data is None else 0o644
            for key, value in (changes[0] if changes else {}).items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(data or b""))
    return made.getvalue()


async def made(container, *words):
    """What a container's tar writes, as bytes."""
    from node_agent.workloads.tools.process import Bytes, Captured

    out, err = Captured(), Captured()
    code = await container.commands.run(words, stdin=Bytes(), stdout=out, stderr=err)
    return code, bytes(out.data), err.text


def machines_tar(directory, *words, data=None):
    done = subprocess.run(
        ["tar", *words], cwd=directory, input=data, capture_output=True, check=True
    )
    return done.stdout


async def test_the_machines_tar_reads_what_is_made_here(container, tmp_path):
    container.put("/tmp/d/a.txt", "alpha")
    container.put("/tmp/d/" + "long/" * 30 + "name", b"\x00" * 1500, 0o755)
    (container.directory / "tmp/d/link").symlink_to("a.txt")
    code, data, err = await made(container, "tar", "cf", "-", "-C", "/tmp", "d")
    assert (code, err, len(data) % 10240) == (0, "", 0)
    there = tmp_path / "there"
    there.mkdir()
    machines_tar(there, "xf", "-", data=data)
    assert (there / "d/a.txt").read_text() == "alpha"
    assert (there / "d/link").readlink().name == "a.txt"
    found = there / "d" / ("long/" * 30) / "name"
    assert (found.read_bytes(), found.stat().st_mode & 0o777) == (b"\x00" * 1500, 0o755)


@pytest.mark.parametrize("layout", ["--format=gnu", "--format=pax", "--format=ustar", "-z"])
async def test_what_the_machines_tar_makes_is_read_here(container, tmp_path, layout):
    """As kubectl cp sends it: tar xmf - -C DIR."""
    source = tmp_path / "src"
    (source / "sub").mkdir(parents=True)
    (source / "sub/f").write_bytes(bytes(range(256)) * 40)
    (source / ("x" * 90)).write_text("long")
    data = machines_tar(tmp_path, "-cf", "-", layout, "src")
    result = await container.run("tar", "xmf", "-", "-C", "/tmp", stdin=data)
    assert (result.code, result.err) == (0, "")
    assert (container.directory / "tmp/src/sub/f").read_bytes() == bytes(range(256)) * 40
    assert container.read("/tmp/src/" + "x" * 90) == "long"
    listed = await container.run("tar", "tf", "-", stdin=data)
    assert "src/sub/f" in listed.out.splitlines()


@pytest.mark.parametrize(
    "member",
    [
        ("../out", b"x"),
        ("d/../../out", b"x"),
        ("dev", b"", {"type": tarfile.CHRTYPE}),
        ("fifo", b"", {"type": tarfile.FIFOTYPE}),
    ],
)
async def test_what_would_lead_out_or_is_a_device_is_refused(container, tmp_path, member):
    result = await container.run("tar", "xf", "-", "-C", "/tmp", stdin=archive(member, ("b", b"y")))
    assert result.code == 2
    assert container.read("/tmp/b") == "y"
    assert not (container.directory / "out").exists() and not (tmp_path / "out").exists()
    assert not (container.directory / "tmp/dev").exists()


async def test_absolute_names_and_links_stay_inside(container, tmp_path):
    target = tmp_path / "target"
    target.write_text("of the machine")
    data = archive(
        ("/abs", b"inside"),
        ("l", b"", {"type": tarfile.SYMTYPE, "linkname": str(tmp_path)}),
        ("l/target", b"evil"),
        ("f", b"", {"type": tarfile.SYMTYPE, "linkname": str(target)}),
        ("f", b"replaced"),
    )
    await container.run("tar", "xf", "-", "-C", "/tmp", stdin=data)
    assert target.read_text() == "of the machine"
    assert container.read("/tmp/abs") == "inside"
    assert container.read("/tmp/f") == "replaced"


async def test_names_select_and_parts_can_be_stripped(container):
    data = archive(("a/b/one", b"1"), ("a/two", b"2"))
    await container.run("tar", "-x", "-f", "-", "--strip-components=1", "a/b", stdin=data)
    assert container.read("/b/one") == "1"
    assert not (container.directory / "two").exists()
    assert (await container.run("tar", "xOf", "-", "a/two", stdin=data)).out == "2"


@pytest.mark.parametrize(
    ("words", "stdin", "text"),
    [
        (["tar", "xf", "-"], b"no archive" * 100, "does not look like a tar archive"),
        (["tar", "xf", "-"], b"", "does not look like a tar archive"),
        (["tar", "xf", "-"], extended(b"nonsense"), "does not look like a tar archive"),
        (["tar", "xf", "-"], extended(b"0 path=x\n"), "does not look like a tar archive"),
        (["tar", "xf", "-"], extended(b"11 size=-1\n"), "does not look like a tar archive"),
        (["tar", "xf", "-"], archive(("a", b"x" * 2000))[:1024], "Unexpected EOF"),
        (["tar", "cf", "-"], b"", "refusing to create an empty archive"),
        (["tar", "cf", "-", "nope"], b"", "nope: Cannot stat: No such file or directory"),
        (["tar", "f", "-"], b"", "must specify one of"),
        (["tar", "xf", "-", "-C", "/nope"], b"", "/nope: Cannot open: No such file or directory"),
        (["tar", "xjf", "-"], b"", "only gzip is known"),
    ],
)
async def test_what_goes_wrong_is_said(container, words, stdin, text):
    result = await container.run(*words, stdin=stdin)
    assert result.code == 2
    assert text in result.err


async def test_a_number_that_is_none_is_said(container):
    result = await container.run(
        "tar", "xf", "-", "--strip-components=x", stdin=archive(("a", b""))
    )
    assert (result.code, result.err) == (1, "tar: invalid number 'x'\n")


async def test_a_file_and_gzip(container):
    container.put("/tmp/a", "alpha")
    script = "cd /tmp; tar -czf x.tgz a; rm a; tar -tzf x.tgz; tar -xzvf x.tgz; cat a"
    assert (await container.sh(script)).out == "a\na\nalpha"
