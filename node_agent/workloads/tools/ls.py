"""`ls [-1aAldhRtrSFpinsC] [FILE]...`"""

import os
import stat
import time

from cluster.dataclass import dataclass
from node_agent.workloads.tools.files import Files
from node_agent.workloads.tools.modes import mode_text, size_text, time_text
from node_agent.workloads.tools.options import Options, parse
from node_agent.workloads.tools.process import Process
from node_agent.workloads.tools.running import files_of
from node_agent.workloads.tools.tree import DEPTH_MAX, below

EXIT_TROUBLE = 2
BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One file in a listing."""

    name: str
    path: str
    found: os.stat_result


async def run(process: Process) -> int:
    """List files, then directories."""
    options = parse(
        process.arguments,
        "1aAldhRtrSFpinsCcugGokmxUvLHZ",
        "all=a almost-all=A directory=d human-readable=h recursive=R reverse=r color colour "
        "color: full-time=l numeric-uid-gid=n size=s classify=F inode=i",
        code=EXIT_TROUBLE,
    )
    lister = Lister(process, options)
    plain: list[Row] = []
    directories: list[str] = []
    for path in options.operands or (".",):
        try:
            found = lister.files.stat(path, follow="l" not in options or path.endswith("/"))
        except OSError as error:
            await lister.complain(path, error)
            continue
        if stat.S_ISDIR(found.st_mode) and "d" not in options:
            directories.append(path)
        else:
            plain.append(Row(path, path, found))
    await lister.show(lister.ordered(plain))
    titled = len(options.operands) > 1 or "R" in options
    for path in sorted(directories):
        await lister.directory(path, titled=titled)
    return lister.status


class Lister:
    """Shows files in the way that the options ask for."""

    def __init__(self, process: Process, options: Options) -> None:
        self.status = 0
        self._process = process
        self._options = options
        self._written = False

    @property
    def files(self) -> Files:
        """The container's files."""
        return files_of(self._process)

    async def complain(self, path: str, error: OSError) -> None:
        """Say what cannot be listed."""
        self.status = EXIT_TROUBLE
        await self._process.complain(f"cannot access '{path}': {error.strerror}")

    async def directory(self, path: str, *, titled: bool, depth: int = 0) -> None:
        """List a directory; with -R all below it."""
        try:
            rows = self.ordered(self._rows(path))
        except OSError as error:
            await self.complain(path, error)
            return
        if titled:
            await self._process.write(f"{chr(10) if self._written else ''}{path}:\n")
        if "l" in self._options or "s" in self._options:
            total = sum(row.found.st_blocks for row in rows) * 512 // BLOCK
            await self._process.write(f"total {total}\n")
        await self.show(rows)
        self._written = True
        if "R" in self._options and depth < DEPTH_MAX:
            for row in rows:
                if stat.S_ISDIR(row.found.st_mode) and row.name not in (".", ".."):
                    await self.directory(row.path, titled=True, depth=depth + 1)

    def _rows(self, path: str) -> list[Row]:
        names = self.files.names(path)
        if "a" in self._options:
            names = [".", "..", *names]
        elif "A" not in self._options:
            names = [each for each in names if not each.startswith(".")]
        rows = []
        for name in names:
            found = self.files.find(below(path, name), follow=False)
            if found is not None:
                rows.append(Row(name, below(path, name), found))
        return rows

    def ordered(self, rows: list[Row]) -> list[Row]:
        """By name, or as -t, -S and -r ask."""
        rows = rows if "U" in self._options else sorted(rows, key=lambda row: row.name)
        if "t" in self._options:
            rows = sorted(rows, key=lambda row: -row.found.st_mtime)
        elif "S" in self._options:
            rows = sorted(rows, key=lambda row: -row.found.st_size)
        return rows[::-1] if "r" in self._options else rows

    async def show(self, rows: list[Row]) -> None:
        """Write rows: long, in columns on a terminal, else one a line."""
        if not rows:
            return
        self._written = True
        if self._options.any_of("lnog"):
            lines = self._long(rows)
        elif self._process.stdout.isatty and "1" not in self._options:
            lines = self._columns([self._named(row) for row in rows])
        else:
            lines = [self._numbered(row) + self._named(row) for row in rows]
        await self._process.write("".join(line + "\n" for line in lines))

    def _numbered(self, row: Row) -> str:
        inode = f"{row.found.st_ino} " if "i" in self._options else ""
        return inode + (f"{row.found.st_blocks // 2} " if "s" in self._options else "")

    def _named(self, row: Row) -> str:
        mode = row.found.st_mode
        if stat.S_ISDIR(mode) and self._options.any_of("Fp"):
            return row.name + "/"
        if "F" not in self._options:
            return row.name
        mark = "@" if stat.S_ISLNK(mode) else "*" if mode & 0o111 else ""
        return row.name + mark

    def _long(self, rows: list[Row]) -> list[str]:
        now = time.time()
        owner = "0 0" if "n" in self._options else "root root"
        sizes = [self._size(row.found.st_size) for row in rows]
        width = max(len(each) for each in sizes)
        links = max(len(str(row.found.st_nlink)) for row in rows)
        return [
            f"{self._numbered(row)}{mode_text(row.found.st_mode)} {row.found.st_nlink:>{links}} "
            f"{owner} {size:>{width}} {time_text(row.found.st_mtime, now)} {self._linked(row)}"
            for row, size in zip(rows, sizes, strict=True)
        ]

    def _size(self, size: int) -> str:
        return size_text(size) if "h" in self._options else str(size)

    def _linked(self, row: Row) -> str:
        if stat.S_ISLNK(row.found.st_mode):
            return f"{row.name} -> {self.files.readlink(row.path)}"
        return self._named(row)

    def _columns(self, names: list[str]) -> list[str]:
        terminal = self._process.terminal
        total = (terminal.window.columns if terminal is not None else 0) or 80
        width = max(len(each) for each in names) + 2
        count = max(1, total // width)
        height = -(-len(names) // count)
        lines = []
        for at in range(height):
            row = names[at::height]
            lines.append("".join(f"{each:{width}}" for each in row[:-1]) + row[-1])
        return lines
