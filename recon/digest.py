"""One fingerprint of all that a day says: equal for equal inputs, whatever the order they came in.

Natural keys only: no ids of ours, no instants of processing, no attempts, no severity, no age.
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
    """One order line or pair with its bucket; the key of a side that has no line is empty."""

    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    bucket: str
    findings: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TiedFinding:
    """One finding of a batch or of a transaction."""

    transaction_id: str
    level: str
    subject: str
    said: Said


def digest(lines: Iterable[TiedLine], findings: Iterable[TiedFinding]) -> str:
    """SHA-256 in lower-case hex over one canonical text per line and finding, sorted."""
    texts = [_line(line) for line in lines]
    texts += [_finding(finding) for finding in findings]
    whole = sha256()
    for text in sorted(texts):
        whole.update(text.encode())
        whole.update(b"\n")
    return whole.hexdigest()


def _line(line: TiedLine) -> str:
    said = sorted(_text(_said(finding)) for finding in line.findings)
    return _text(["line", line.ours, line.theirs, line.bucket, said])


def _finding(finding: TiedFinding) -> str:
    about = [finding.level, finding.transaction_id, finding.subject]
    return _text(["finding", *about, _said(finding.said)])


def _said(said: Said) -> list[str | None]:
    return [said.name, said.field, said.ours, said.theirs, _number(said.tolerance)]


def _number(value: Decimal | None) -> str | None:
    """The number without zeros at its end, so that 0.010000 and 0.01 are one."""
    if value is None:
        return None
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))
