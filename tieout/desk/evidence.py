"""What a finding rests on: the webhook's own bytes, the API's answer, the row of the books."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from sqlalchemy import Connection

from store import desk_events, desk_holdings
from store.desk_breaks import StoredFinding

PROOFS_MAX = 20
PRETTY_MAX = 256 * 1024  #: a larger body is shown raw only
SHOWN_MAX = 512 * 1024
_TOKEN = re.compile(r"\b(eyJ[A-Za-z0-9_-]{4,12})[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_MARK = "\ue000"  #: a private character; a body that holds it is shown raw only


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One piece of evidence: what it is, where it lies, and its bytes if there are any."""

    kind: str  #: event, snapshot, holdings, books, registration, clock
    ref: str
    says: str
    body: bytes | None = None


def proofs(connection: Connection, finding: StoredFinding) -> Iterator[Proof]:
    """The evidence a finding names, with the raw bytes of webhooks and answers."""
    for item in (finding.evidence or [])[:PROOFS_MAX]:
        yield _proof(connection, finding, item)


def _proof(connection: Connection, finding: StoredFinding, item: dict[str, Any]) -> Proof:
    kind, ref, says = (str(item.get(name) or "") for name in ("kind", "ref", "says"))
    return Proof(kind=kind, ref=ref, says=says, body=_body(connection, finding, kind, ref))


def _body(connection: Connection, finding: StoredFinding, kind: str, ref: str) -> bytes | None:
    if kind == "event":
        return _webhook(connection, ref)
    if kind == "snapshot" and ref.isdecimal() and finding.txn is not None:
        return desk_events.snapshot_body(connection, txn=finding.txn, snapshot_id=int(ref))
    if kind == "holdings" and ref.isdecimal() and finding.txn is not None:
        return desk_holdings.body(connection, int(ref))
    return None


def _webhook(connection: Connection, ref: str) -> bytes | None:
    try:
        event_id = UUID(ref)
    except ValueError:
        return None
    found = desk_events.deliveries(connection, event_id=event_id, limit=1)
    return found[0].body if found else None


def as_text(body: bytes) -> str:
    """The bytes as text; what is no UTF-8, and what cannot be seen, as escapes; long ones cut.

    A token in them, by which one could act for a customer, is hidden: its signature is what counts.
    """
    text = _TOKEN.sub(r"\1.[token hidden]", body[:SHOWN_MAX].decode("utf-8", "backslashreplace"))
    shown = "".join(char if char.isprintable() or char in "\n\t" else _escaped(char) for char in text)
    return shown if len(body) <= SHOWN_MAX else f"{shown}\n[cut: {len(body)} bytes in all]"


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}"


def pretty(body: bytes) -> str | None:
    """JSON laid out for reading, numbers as they were written; None if it is no JSON or too large."""
    if len(body) > PRETTY_MAX or _MARK.encode() in body or b"\\ue000" in body.lower():
        return None
    try:
        value = json.loads(body, parse_float=_Number, parse_int=_Number, parse_constant=_Number)
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str, sort_keys=False)
    except (ValueError, RecursionError):
        return None
    return as_text(_unquoted(text).encode("utf-8", "backslashreplace"))


class _Number(str):
    """A number's text, marked so that it comes out of the JSON writer as it went in."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Put the marks around it."""
        return super().__new__(cls, f"{_MARK}{text}{_MARK}")


def _unquoted(text: str) -> str:
    return text.replace(f'"{_MARK}', "").replace(f'{_MARK}"', "")
