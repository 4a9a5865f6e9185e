"""What a verification found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

SHOWN = 20  #: differences kept; the others are only counted

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not what was signed, or does not say what its evidence says."""

    check: str  #: close, sealed, books, answers, verdicts, findings, totals, digest
    table: str
    key: str  #: what people call the row
    words: str

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.table} {self.key}: {self.words}"


@dataclass(slots=True)
class Report:
    """All of it: the differences in the order they were found, and how much was looked at."""

    differences: list[Difference] = field(default_factory=list)
    found: int = 0
    counts: Counter[str] = field(default_factory=Counter)  #: what was checked, and what was taken as stored

    @property
    def holds(self) -> bool:
        """Whether the day is what was signed."""
        return not self.found

    def differs(self, check: str, table: str, key: str, words: str) -> None:
        """Write a difference down."""
        self.found += 1
        if len(self.differences) < SHOWN:
            self.differences.append(Difference(check, table, key, words))
