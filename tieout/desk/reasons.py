"""What each reason and alert means and what to do, read from the documentation so that both say the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

DOCS: Final = Path(__file__).parents[2] / "docs"
#: Where each kind is told: the file, and the heading above its table.
TOLD: Final = {
    "waiting": ("operating.md", "Why an event waits"),
    "parked": ("operating.md", "Why an event is parked"),
    "alert": ("operating.md", "Alerts"),
    "refused": ("receiving.md", "What a refusal means"),
}
_HEADING = re.compile(r"#{1,6}\s+(?P<words>.+?)\s*")
_NAME = re.compile(r"`([a-z][a-z0-9-]*)`")
_MARKUP = re.compile(r"[*`]|\[(?P<text>[^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Told:
    """What a reason means, and what to do about it; `todo` is empty where the documentation names nothing."""

    means: str
    todo: str = ""


def told_of(kind: str, name: str | None) -> Told | None:
    """What is told of that reason of that kind (`waiting`, `parked`, `alert`, `refused`); None for any other."""
    return reasons(kind).get(name or "") if kind in TOLD else None


@cache
def reasons(kind: str, folder: Path = DOCS) -> dict[str, Told]:
    """Every reason of that kind by name; empty if the file is not there."""
    file, heading = TOLD[kind]
    path = folder / file
    if not path.exists():
        return {}
    under, found = False, {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := _HEADING.fullmatch(line):
            under = match["words"] == heading
        elif under and line.startswith("|"):
            names, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            found.update(dict.fromkeys(_NAME.findall(names), Told(*map(_plain, cells[:2]))) if cells else {})
    return found


def _plain(text: str) -> str:
    return _MARKUP.sub(lambda match: match["text"] or "", text).strip()
