"""What is wrong with a file or with one of its rows, in words a person can act on."""

from __future__ import annotations

from dataclasses import asdict, dataclass

SHOWN = 60  #: characters of a wrong value that are shown


class UnreadableFileError(Exception):
    """The file as a whole cannot be read; the message is one line with the fix."""


class Unfit(Exception):  # noqa: N818 its name is its meaning
    """One cell does not hold what its column needs: what is wrong, and what to write instead."""

    def __init__(self, problem: str, fix: str) -> None:
        """Take what is wrong and the fix."""
        super().__init__(problem)
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a row was refused: its line in the file, the column, the value as it stood, the fix."""

    line: int
    column: str
    value: str
    problem: str
    fix: str

    def as_row(self) -> dict[str, object]:
        """The problem with its columns named, for listings."""
        return asdict(self)


def shown(value: str) -> str:
    """The value made fit to show: bounded, and control characters spelt out."""
    cut = value if len(value) <= SHOWN else f"{value[:SHOWN]}... ({len(value):,} characters)"
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)
