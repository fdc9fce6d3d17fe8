"""`tar -c|-x|-t [-vzf FILE] [-C DIR] [NAME]...`: archives, to and from files and streams.

What `kubectl cp` needs of a container. Members are made with the container's own calls, so a name
with `..`, an absolute name or a link in the way leads nowhere else; devices are refused. The
archive is read member by member, as it comes. tarfile is imported here alone, at the first use.
"""

import asyncio
import posixpath
import zlib
from collections.abc import AsyncIterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from node_agent.workloads.tools.devices import open_input, open_output
from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.making import remove_tree
from node_agent.workloads.tools.options import Options, parse
from node_agent.workloads.tools.process import READ_BYTES, Failed, Input, Output, Process
from node_agent.workloads.tools.running import files_of, spoken
from node_agent.workloads.tools.tree import Entry, walk

if TYPE_CHECKING:
    import tarfile

BLOCK = 512
RECORD = 20 * BLOCK
EXIT_TROUBLE = 2
LONG = (
    "create=c extract=x get=x list=t file:=f directory:=C verbose=v gzip=z to-stdout=O "
    "preserve-permissions=p no-same-owner=o no-same-permissions=N exclude:=X touch=m "
    "absolute-names=P strip-components:=S dereference=h overwrite=k warning: keep-old-files=K"
)
META_BYTES_MAX = 1 << 20


async def run(process: Process) -> int:
    """Create, extract or list."""
    words = list(process.arguments)
    if words and not words[0].startswith("-"):
        words = _old_form(words)
    options = parse(words, "cxtvzpmokhOPjJaf:C:X:T:", LONG, code=EXIT_TROUBLE)
    if options.any_of("jJ"):
        raise Failed("only gzip is known here", EXIT_TROUBLE)
    if "c" in options:
        return await Writer(process, options).run()
    if options.any_of("xt"):
        return await Reader(process, options).run()
    raise Failed("You must specify one of the '-ctx' options", EXIT_TROUBLE)


def _old_form(words: list[str]) -> list[str]:
    """`tar xf FILE -C DIR`: letters without a dash, their values after them in order."""
    letters, rest = words[0], words[1:]
    out: list[str] = []
    for letter in letters:
        out.append(f"-{letter}")
        if letter in "fCXT" and rest:
            out.append(rest.pop(0))
    return out + rest


def _start(process: Process, options: Options) -> Files:
    files = files_of(process)
    if "C" not in options:
        return files
    try:
        files.names(options.value("C"))
    except OSError as error:
        text = f"{options.value('C')}: Cannot open: {error.strerror}"
        raise Failed(text, EXIT_TROUBLE) from None
    return Files(process.root, files.absolute(options.value("C")), process.umask)


class Writer:
    """Makes an archive."""

    def __init__(self, process: Process, options: Options) -> None:
        self._process = process
        self._options = options
        self._files = _start(process, options)
        self._written = 0
        self._packer = zlib.compressobj(wbits=31) if "z" in options else None
        self._output = self._open(options.value("f", "-"))

    def _open(self, path: str) -> Output:
        if path == "-":
            return self._process.stdout
        streams = {1: self._process.stdout, 2: self._process.stderr}
        return open_output(files_of(self._process), path, streams)

    async def run(self) -> int:
        """Write the members and the end."""
        status = 0
        if not self._options.operands:
            raise Failed("Cowardly refusing to create an empty archive", EXIT_TROUBLE)
        for name in self._options.operands:
            try:
                for entry in walk(self._files, name):
                    await self._member(entry)
            except OSError as error:
                if isinstance(error, BrokenPipeError):
                    raise
                status = EXIT_TROUBLE
                await self._process.complain(f"{name}: Cannot stat: {error.strerror}")
        await self._finish()
        return status

    async def _member(self, entry: Entry) -> None:
        import tarfile

        name = _stored_name(entry.path)
        if not name or any(fnmatchcase(name, each) for each in self._options.values("X")):
            return
        info = tarfile.TarInfo(name)
        info.mode, info.mtime = entry.found.st_mode & 0o7777, entry.found.st_mtime
        info.uname = info.gname = "root"
        if entry.is_link:
            info.type, info.linkname = tarfile.SYMTYPE, self._files.readlink(entry.path)
        elif entry.is_directory:
            info.type = tarfile.DIRTYPE
        elif not entry.is_file:
            return
        await self._said(name)
        if entry.is_file:
            await self._content(info, entry.path)
        else:
            await self._write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))

    async def _content(self, info: "tarfile.TarInfo", path: str) -> None:
        """A file, as long as it was when it was opened."""
        import tarfile

        source = self._files.open(path)
        try:
            data = source.now(READ_BYTES)
            info.size = self._files.stat(path).st_size or len(data)
            await self._write(info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))
            left = info.size
            while left:
                part = data[:left] or bytes(min(left, READ_BYTES))
                await self._write(part)
                left -= len(part)
                data = source.now(READ_BYTES)
                await asyncio.sleep(0)
            await self._write(bytes(-info.size % BLOCK))
        finally:
            source.close()

    async def _said(self, name: str) -> None:
        if "v" in self._options:
            to_file = self._options.value("f", "-") != "-"
            stream = self._process.stdout if to_file else self._process.stderr
            await stream.write(name.encode("utf-8", "surrogateescape") + b"\n")

    async def _write(self, data: bytes) -> None:
        self._written += len(data)
        packed = self._packer.compress(data) if self._packer is not None else data
        if packed:
            await self._output.write(packed)

    async def _finish(self) -> None:
        end = 2 * BLOCK
        await self._write(bytes(end + -(self._written + end) % RECORD))
        if self._packer is not None:
            await self._output.write(self._packer.flush())
        if self._output is not self._process.stdout:
            getattr(self._output, "close", bool)()


def _stored_name(path: str) -> str:
    """Without a leading slash, and without what leads upwards."""
    return path.lstrip("/")


class Reader:
    """Reads an archive, member by member."""

    def __init__(self, process: Process, options: Options) -> None:
        self._process = process
        self._options = options
        self._files = _start(process, options)
        self._ahead = b""
        self._unpacker: Any = None
        self._begun = False
        self._status = 0
        self._source: Input = process.stdin

    async def run(self) -> int:
        """Extract or list."""
        path = self._options.value("f", "-")
        if path == "-":
            return await self._read_all()
        self._source = open_input(files_of(self._process), path, self._process.stdin)
        try:
            return await self._read_all()
        finally:
            getattr(self._source, "close", bool)()

    async def _read_all(self) -> int:
        async for info in self._members():
            if self._wanted(info.name):
                await self._take(info)
            else:
                await self._skip(info)
        while await self._source.read():
            pass  # whoever writes is not to find the reader gone
        return self._status

    def _wanted(self, name: str) -> bool:
        if any(fnmatchcase(name, each) for each in self._options.values("X")):
            return False
        names = [each.rstrip("/") for each in self._options.operands]
        plain = name.rstrip("/")
        return not names or any(plain == each or plain.startswith(each + "/") for each in names)

    async def _members(self) -> AsyncIterator["tarfile.TarInfo"]:
        """Headers, with the long names of GNU and pax put in."""
        import tarfile

        known: dict[str, str] = {}
        while True:
            block = await self._read(BLOCK)
            if len(block) < BLOCK:
                if block or not self._begun:
                    raise Failed("This does not look like a tar archive", EXIT_TROUBLE)
                return
            if not block.strip(b"\0"):
                return
            self._begun = True
            try:
                info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            except tarfile.HeaderError:
                raise Failed("This does not look like a tar archive", EXIT_TROUBLE) from None
            if info.type in b"LKxg":
                known |= await self._extension(info)
                continue
            info.name = known.get("path", info.name)
            info.linkname = known.get("linkpath", info.linkname)
            info.size = _size(known.get("size", str(info.size)))
            known = {}
            yield info

    async def _extension(self, info: "tarfile.TarInfo") -> dict[str, str]:
        if info.size > META_BYTES_MAX:
            raise Failed("an extended header is too long", EXIT_TROUBLE)
        data = (await self._read(info.size + -info.size % BLOCK))[: info.size]
        if info.type in (b"L", b"K"):
            text = data.rstrip(b"\0").decode("utf-8", "surrogateescape")
            return {"path" if info.type == b"L" else "linkpath": text}
        found = {}
        while data:
            digits, blank, _ = data.partition(b" ")
            length = int(digits) if digits.isdigit() else 0
            if not blank or length <= len(digits):
                raise Failed("This does not look like a tar archive", EXIT_TROUBLE)
            record, data = data[len(digits) + 1 : length], data[length:]
            key, _, value = record.rstrip(b"\n").partition(b"=")
            found[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        return found if info.type == b"x" else {}

    async def _take(self, info: "tarfile.TarInfo") -> None:
        if "t" in self._options:
            await self._list(info)
            await self._skip(info)
            return
        if "v" in self._options:
            stream = self._process.stderr if "O" in self._options else self._process.stdout
            await stream.write(info.name.encode("utf-8", "surrogateescape") + b"\n")
        try:
            await self._extract(info)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            self._status = EXIT_TROUBLE
            await self._process.complain(f"{info.name}: Cannot open: {spoken(error)}")
            await self._skip(info)

    async def _list(self, info: "tarfile.TarInfo") -> None:
        name = info.name + ("/" if info.isdir() and not info.name.endswith("/") else "")
        if "v" in self._options:
            from node_agent.workloads.tools.paths import moment_text

            mode = _mode(info)
            name = f"{mode} root/root {info.size:9d} {moment_text(info.mtime)[:16]} {name}"
        await self._process.write(name + "\n")

    async def _extract(self, info: "tarfile.TarInfo") -> None:
        parts = [each for each in info.name.split("/") if each not in ("", ".")]
        parts = parts[self._options.number("S", 0) :]
        if ".." in parts:
            raise PermissionError(1, "Member name contains '..'")
        path = posixpath.join(*parts) if parts else "."
        if "O" in self._options and info.isfile():
            await self._pour(info, self._process.stdout.write)
            return
        if len(parts) > 1:
            self._files.make_directories(posixpath.dirname(path))
        if info.isdir():
            self._files.make_directories(path)
        elif info.issym():
            self._clear(path)
            self._files.symlink(info.linkname, path)
        elif info.islnk():
            self._clear(path)
            self._files.link(info.linkname, path)
        elif info.isfile():
            await self._file(info, path)
        else:
            raise PermissionError(1, "Operation not permitted")
        if not info.issym() and not info.islnk():
            self._files.chmod(path, info.mode)
            if "m" not in self._options:
                self._files.set_times(path, (info.mtime, info.mtime))

    async def _file(self, info: "tarfile.TarInfo", path: str) -> None:
        self._clear(path)
        output = self._files.create(path)
        try:
            await self._pour(info, output.write)
        finally:
            output.close()

    def _clear(self, path: str) -> None:
        """A member takes the place of what is there; a link there is not written through."""
        found = self._files.find(path, follow=False)
        if found is not None and not self._files.root.is_mount(
            self._files.place(path, follow=False).path
        ):
            remove_tree(self._files, path)

    async def _pour(self, info: "tarfile.TarInfo", write: Any) -> None:
        left = info.size
        while left:
            data = await self._read(min(left, READ_BYTES))
            if not data:
                raise Failed("Unexpected EOF in archive", EXIT_TROUBLE)
            await write(data)
            left -= len(data)
        await self._read(-info.size % BLOCK)
        info.size = 0  # it is read: nothing of it is left to skip

    async def _skip(self, info: "tarfile.TarInfo") -> None:
        left = info.size + -info.size % BLOCK
        while left and (data := await self._read(min(left, READ_BYTES))):
            left -= len(data)

    async def _read(self, size: int) -> bytes:
        """So many bytes; fewer only at the end."""
        parts, held = [self._ahead], len(self._ahead)
        while held < size and (data := await self._more()):
            parts.append(data)
            held += len(data)
        whole = b"".join(parts)
        self._ahead = whole[size:]
        return whole[:size]

    async def _more(self) -> bytes:
        data = await self._source.read()
        if not self._begun and self._unpacker is None and data[:2] == b"\x1f\x8b":
            self._unpacker = zlib.decompressobj(wbits=47)
        if self._unpacker is None or not data:
            return data
        unpacked: bytes = self._unpacker.decompress(data)
        return unpacked or await self._more()


def _size(text: str) -> int:
    if not text.isdecimal():
        raise Failed("This does not look like a tar archive", EXIT_TROUBLE)
    return int(text)


def _mode(info: "tarfile.TarInfo") -> str:
    import stat

    kind = stat.S_IFDIR if info.isdir() else stat.S_IFLNK if info.issym() else stat.S_IFREG
    return stat.filemode(info.mode | kind)
