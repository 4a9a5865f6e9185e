"""One fingerprint of all that a day says: equal for equal inputs, whatever the order they came in.

It covers both sides' inputs as they were compared, the rule set that judged them, and what it said.
Natural keys only: no ids of ours, no instants of processing, no attempts, no severity, no age.
The texts are JSON with one blank after each comma, so that PostgreSQL writes the very same ones
(`store.digests`); a day of a million lines is sorted there and only hashed here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One finding, as it goes into the fingerprint."""

    name: str
    field: str
    ours: str | None
    theirs: str | None
    tolerance: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedLine:
    """One order line or pair with its bucket; a side that has no line is empty."""

    ours: tuple[str | None, ...]
    theirs: tuple[str | None, ...]
    bucket: str
    rule_set: str | None = None  #: None where nothing was judged
    findings: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedFinding:
    """One finding of a batch or of a transaction, or one whose line is not judged."""

    transaction_id: str
    level: str
    subject: str
    said: Said


def digest(lines: Iterable[TiedLine], findings: Iterable[TiedFinding]) -> str:
    """SHA-256 in lower-case hex over one canonical text per line and finding, sorted."""
    return digest_of(sorted([*map(line_text, lines), *map(finding_text, findings)]))


def digest_of(texts: Iterable[str]) -> str:
    """SHA-256 in lower-case hex over canonical texts, each ended by a line feed.

    Raises ValueError when they do not come sorted by their characters: the result would mean nothing.
    """
    whole, last = sha256(), ""
    for text in texts:
        if text < last:
            raise ValueError("the texts of a digest must come sorted")
        whole.update(text.encode())
        whole.update(b"\n")
        last = text
    return whole.hexdigest()


def line_text(line: TiedLine) -> str:
    """The canonical text of a line."""
    said = sorted(_text(_said(finding)) for finding in line.findings)
    return _text(["line", line.ours, line.theirs, line.bucket, line.rule_set, said])


def finding_text(finding: TiedFinding) -> str:
    """The canonical text of a finding that belongs to no line."""
    about = [finding.level, finding.transaction_id, finding.subject]
    return _text(["finding", *about, _said(finding.said)])


def plain_number(value: Decimal | None) -> str | None:
    """The number without zeros at its end, so that 0.010000 and 0.01 are one."""
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _said(said: Said) -> list[str | None]:
    return [said.name, said.field, said.ours, said.theirs, plain_number(said.tolerance)]


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
