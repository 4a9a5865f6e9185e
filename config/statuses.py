"""The company's status words in the Gateway's leg words, read from a file that anyone may edit."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from recon.words import LEG_RANK, UNPLACED, our_word

STATUSES_FILE = Path(__file__).with_name("statuses.toml")


class BadStatusesError(ValueError):
    """The file of status words cannot be understood; the message names the entry and the fix."""


@lru_cache(maxsize=8)
def read_statuses(file: Path = STATUSES_FILE) -> Mapping[str, str]:
    """Every word an import may use, in upper case with single spaces, to its leg word.

    Raises `BadStatusesError`.
    """
    words = {word: word for word in (*LEG_RANK, UNPLACED)}
    for theirs, ours in _entries(file).items():
        if not isinstance(ours, str) or (word := our_word(ours)) is None:
            known = ", ".join((*LEG_RANK, UNPLACED))
            raise BadStatusesError(f"{file}: {theirs} = {ours!r} is no word for an order: use one of {known}")
        words[_normal(theirs)] = word
    return MappingProxyType(words)


def _entries(file: Path) -> Mapping[str, object]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadStatusesError(f"{file}: {error.strerror}: TIEOUT_STATUSES_FILE names the status words") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadStatusesError(f"{file}: {error}") from None
    entries = document.get("statuses", {})
    if not isinstance(entries, dict):
        raise BadStatusesError(f"{file}: write the words below a line [statuses]")
    return entries


def _normal(text: str) -> str:
    return " ".join(text.upper().replace("_", " ").replace("-", " ").split())
