"""What each name of a finding says, read from the documentation so that both say the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs" / "breaks.md"
_HEADING = re.compile(r"#{2,4}\s+`?(?P<name>[a-z][a-z0-9-]*)`?\s*")
_ANY_HEADING = re.compile(r"#{1,6}\s")
_LABEL = re.compile(r"\*\*(?P<label>[^*]+?)\.?\*\*\s*(?P<rest>.*)")
_MARKUP = re.compile(r"[*`]|\[(?P<text>[^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, slots=True)
class Said:
    """One line about a name; lines such as "Means", "When" and "Example" have a label."""

    label: str
    text: str


@cache
def meanings(file: Path = DOCS) -> dict[str, tuple[Said, ...]]:
    """The lines under each name's heading, by name; empty if there is no such file."""
    if not file.exists():
        return {}
    found: dict[str, list[Said]] = {}
    name: str | None = None
    for line in file.read_text(encoding="utf-8").splitlines():
        if _ANY_HEADING.match(line):
            heading = _HEADING.fullmatch(line)
            name = heading["name"] if heading else None
        elif name and line.strip():
            found.setdefault(name, []).append(_said(line.strip()))
    return {name: tuple(lines) for name, lines in found.items()}


def meaning(name: str) -> str:
    """The first line about a name; "" if nothing is written about it."""
    return next((said.text for said in meanings().get(name, ())), "")


def said_of(name: str, label: str) -> str:
    """What the line of that label says about a name, as "Do" or "Who"; "" if there is none."""
    return next((said.text for said in meanings().get(name, ()) if said.label == label), "")


def _said(line: str) -> Said:
    labelled = _LABEL.fullmatch(line)
    if labelled is None:
        return Said("", _plain(line))
    return Said(labelled["label"], _plain(labelled["rest"]))


def _plain(line: str) -> str:
    return _MARKUP.sub(lambda match: match["text"] or "", line)
