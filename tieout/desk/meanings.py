"""What each name of a finding says, read from the documentation so that both say the same."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs" / "breaks.md"
_HEADING = re.compile(r"^#{2,4}\s+`?(?P<name>[a-z][a-z-]*)`?\s*$")
_ANY_HEADING = re.compile(r"^#{1,6}\s")
_MARKUP = re.compile(r"[*`]|\[(?P<text>[^\]]*)\]\([^)]*\)")


@cache
def meanings(file: Path = DOCS) -> dict[str, tuple[str, ...]]:
    """The sentences under each name's heading, by name; empty if there is no such file."""
    if not file.exists():
        return {}
    found: dict[str, list[str]] = {}
    name = None
    for line in file.read_text(encoding="utf-8").splitlines():
        if _ANY_HEADING.match(line):
            heading = _HEADING.match(line)
            name = heading["name"] if heading else None
        elif name and line.strip():
            found.setdefault(name, []).append(_plain(line))
    return {name: tuple(lines) for name, lines in found.items()}


def meaning(name: str) -> str:
    """The first sentence about a name; "" if nothing is written about it."""
    return next(iter(meanings().get(name, ())), "")


def _plain(line: str) -> str:
    return _MARKUP.sub(lambda match: match["text"] or "", line.strip())
