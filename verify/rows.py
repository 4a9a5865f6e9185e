"""How the rows of a table that a day rests on are found and named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows `r` of one table. `known` is the instant from which a row of facts was known."""

    key: str
    joins: str
    where: str
    known: str | None = None
    written: Mapping[str, str] = field(default_factory=dict)  #: SQL of what is sealed in place of a column
    source: str = ""  #: SQL of the rows, where they are quicker found so than among all of the table
