"""Results as tables: for a terminal and for the document.

Pure: values in, text out.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Table:
    """One result; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    note: str = ""
    rows: list[tuple[str, ...]] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)  # that goals are met by

    def add(self, *cells: str) -> None:
        """One row, as long as the columns."""
        assert len(cells) == len(self.columns), (cells, self.columns)
        self.rows.append(cells)

    def text(self) -> str:
        """Aligned, for people at a terminal."""
        lines = [self.columns, *self.rows]
        widths = [max(len(line[at]) for line in lines) for at in range(len(self.columns))]
        shown = [
            "  ".join(
                cell.ljust(width) if at == 0 else cell.rjust(width)
                for at, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        return "\n".join([self.title, *shown, ""])

    def markdown(self, heading: str = "###") -> str:
        """For the document."""
        rule = ["---", *["---:"] * (len(self.columns) - 1)]
        lines = [self.columns, rule, *self.rows]
        shown = ["| " + " | ".join(line) + " |" for line in lines]
        return "\n".join([f"{heading} {self.title}", "", *shown, "", self.note, ""])


def milliseconds(seconds: float) -> str:
    """ "412 ms"."""
    return f"{seconds * 1000:.0f} ms"
