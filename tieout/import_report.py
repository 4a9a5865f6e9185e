"""What an import is told and what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from books.problems import Problem
from books.tables import Table
from config.settings import Gateway
from tieout.rules import Rules

PROBLEMS_KEPT = 100_000  #: of one file; every refused row is stored whatever this is
BATCH = 2_000  #: rows sent to the database at once

Progress = Callable[[int, int], None]  #: bytes read, of how many


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file to import and all that its import needs to know; `now` is the domain's instant."""

    file: Path
    gateways: Sequence[Gateway]
    statuses: Mapping[str, str]
    now: datetime
    rules: Rules
    complete_for: date | None = None
    progress: Progress = lambda _done, _total: None

    @property
    def only_gateway(self) -> str | None:
        """The gateway, if there is one only."""
        return self.gateways[0].name if len(self.gateways) == 1 else None

    def show(self, table: Table) -> None:
        """Tell how far the file is read."""
        self.progress(*table.position())


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an import did, or, on a dry run, would do. `rows` = all the other counts together."""

    kind: str
    file: str
    dry_run: bool
    rows: int
    new: int
    changed: int
    unchanged: int
    refused: int  #: rows, whatever the number of their problems
    repeated: int = 0  #: rows that say again what an earlier row of the file says
    off_platform: int = 0  #: of the new and changed ones
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    complete_for: date | None = None

    def as_row(self) -> dict[str, object]:
        """The counts with their names, for listings."""
        names = ("kind", "file", "dry_run", "rows", "new", "changed", "unchanged", "refused", "repeated")
        return {name: getattr(self, name) for name in (*names, "off_platform", "complete_for", "notes")}


@dataclass(slots=True)
class Findings:
    """What is gathered while a file is read."""

    rows: int = 0
    refused: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, problems: Sequence[Problem]) -> None:
        """Count a refused row; its problems are kept up to a bound."""
        self.refused += 1
        if len(self.problems) < PROBLEMS_KEPT:
            self.problems.extend(problems)

    def in_order(self) -> tuple[Problem, ...]:
        """The problems by line."""
        return tuple(sorted(self.problems, key=lambda problem: problem.line))
