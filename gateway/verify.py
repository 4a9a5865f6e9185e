"""Verify one webhook: bytes in, a verdict out. Total: nothing that is posted makes it raise.

The checksum covers the timestamp and one id, never the body: a webhook is a trigger, not a booking.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from config.keys import Key
from gateway.shapes import ACCOUNT, TRANSACTION, UNSIGNED, Family, Shape, shape_of
from gateway.strict import NotStrictError, Reader, canonical

FUTURE_SLACK: Final = timedelta(minutes=1)  #: clocks differ; a timestamp further ahead is marked
SHORTEST_TOLD: Final = 16  #: a shorter secret may stand in a body by chance

TIMESTAMP_UNREADABLE: Final = "timestamp-unreadable"
TIMESTAMP_FUTURE: Final = "timestamp-future"

ENCODINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "hex": lambda digest: digest.hex().encode(),
    "base64": base64.b64encode,
}

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = re.compile(r"([0-9]{9,14})(?:\.[0-9]{1,9})?")
_SECONDS_BELOW = 10**11
_TERM = re.compile(r"\{(\w+)\}")
_PLAIN: Final = {name: f"{{timestamp}}{{{name}}}" for name in (ACCOUNT, TRANSACTION)}


class BadFormulaError(ValueError):
    """A formula setting is not of the form `encoding {timestamp}{id}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """How a family's checksum is made: over the timestamp and one id, in one encoding."""

    id_name: str  #: smallcaseAuthId or transactionId
    template: str  #: such as "{timestamp}{smallcaseAuthId}"
    encoding: str  #: hex or base64

    def message(self, timestamp: str, identifier: str) -> bytes:
        """The bytes that are signed."""
        if self.template == _PLAIN.get(self.id_name):  # as documented: by far the most frequent
            return (timestamp + identifier).encode("utf-8", "surrogatepass")
        values = {"timestamp": timestamp, self.id_name: identifier}
        return _TERM.sub(lambda term: values[term[1]], self.template).encode("utf-8", "surrogatepass")


def formula(text: str) -> Formula:
    """Read a formula, such as `hex {timestamp}{smallcaseAuthId}`. Raises `BadFormulaError`."""
    encoding, _, template = text.partition(" ")
    terms = _TERM.findall(template)
    ids = [term for term in terms if term in (ACCOUNT, TRANSACTION)]
    if encoding not in ENCODINGS or sorted(terms) != sorted([*ids, "timestamp"]) or len(ids) != 1:
        fix = "hex or base64, a space, then {timestamp} and one of {smallcaseAuthId}, {transactionId}"
        raise BadFormulaError(f"checksum formula {text!r}: write {fix}")
    return Formula(id_name=ids[0], template=template, encoding=encoding)


DOCUMENTED: Final[Mapping[Family, Formula]] = {
    Family.ORDERS: formula("hex {timestamp}{smallcaseAuthId}"),
    Family.HOLDINGS: formula("hex {timestamp}{smallcaseAuthId}"),
    Family.MF_HOLDINGS: formula("hex {timestamp}{transactionId}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is asked of a webhook."""

    reader: Reader = field(default_factory=Reader)
    formulas: Mapping[Family, Formula] = field(default_factory=lambda: DOCUMENTED)
    max_age: timedelta = timedelta(days=7)


class Verdict(NamedTuple):
    """What verifying says. `reason` is "verified", or the refusal's word."""

    ok: bool
    reason: str
    family: Family | None = None
    key_id: str | None = None
    shape: Shape | None = None
    signed_id: str | None = None
    marks: tuple[str, ...] = ()
    content: bytes = b""  #: the canonical body without timestamp and checksum, when ok


def verify(body: bytes, keys: Sequence[Key], *, now: datetime, checks: Checks | None = None) -> Verdict:
    """Judge a body against the keys valid at `now`. Never raises.

    Reasons: those of `NotStrictError`, bad-id, no-timestamp, no-id, no-checksum, no-valid-key (our
    own fault), bad-checksum, stale, holds-secret.
    """
    checks = checks or Checks()
    try:
        document = checks.reader.read(body)
        shape = shape_of(document)
    except NotStrictError as error:
        return Verdict(ok=False, reason=error.reason)
    return _signed(document, shape, [key for key in keys if key.valid_at(now)], now=now, checks=checks)


def event_id(gateway: str, verdict: Verdict) -> bytes:
    """The 16 first bytes of SHA-256 over gateway, family and content: the same for every repeat."""
    head = f"{gateway}\0{verdict.family}\0".encode()
    return hashlib.sha256(head + verdict.content).digest()[:16]


def signature(gateway: str, verdict: Verdict) -> bytes:
    """32 bytes that name the triple of timestamp, id and checksum; no part can hold a NUL."""
    shape = verdict.shape
    parts = (gateway, shape.timestamp, verdict.signed_id, shape.checksum) if shape else (gateway,)
    return hashlib.sha256("\0".join(part or "" for part in parts).encode()).digest()


def formula_for(shape: Shape, formulas: Mapping[Family, Formula]) -> Formula:
    """The formula of the family; for an unknown shape that of the id it names."""
    if shape.family is not Family.UNKNOWN:
        return formulas[shape.family]
    return formulas[Family.ORDERS if shape.account is not None else Family.MF_HOLDINGS]


def read_timestamp(text: str) -> datetime | None:
    """ISO 8601 with its zone, or epoch seconds or milliseconds; None when it is neither."""
    if digits := _DIGITS.fullmatch(text):
        number = int(digits[1])
        return _EPOCH + (timedelta(seconds=number) if number < _SECONDS_BELOW else timedelta(milliseconds=number))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def _signed(
    document: dict[str, object], shape: Shape, keys: Sequence[Key], *, now: datetime, checks: Checks
) -> Verdict:
    used = formula_for(shape, checks.formulas)
    identifier = shape.account if used.id_name == ACCOUNT else shape.transaction_id
    if missing := _missing(shape, identifier, keys):
        return Verdict(ok=False, reason=missing, family=shape.family, shape=shape)
    key = _key_that_signed(used, shape, str(identifier), keys)
    if key is None:
        return Verdict(ok=False, reason="bad-checksum", family=shape.family, shape=shape)
    reason, marks = _age(str(shape.timestamp), now, checks.max_age)
    content = canonical({name: value for name, value in document.items() if name not in UNSIGNED})
    if _holds_secret(content, keys):
        reason = "holds-secret"
    return Verdict(
        ok=reason == "verified",
        reason=reason,
        family=shape.family,
        key_id=key.key_id,
        shape=shape,
        signed_id=identifier,
        marks=marks,
        content=content,
    )


def _missing(shape: Shape, identifier: str | None, keys: Sequence[Key]) -> str | None:
    if shape.checksum is None:
        return "no-checksum"
    if identifier is None:
        return "no-id"
    if shape.timestamp is None:
        return "no-timestamp"
    return None if keys else "no-valid-key"


def _key_that_signed(used: Formula, shape: Shape, identifier: str, keys: Sequence[Key]) -> Key | None:
    """The key whose checksum it is; every key is tried, so that time tells nothing."""
    message = used.message(str(shape.timestamp), identifier)
    given = str(shape.checksum).encode("utf-8", "surrogatepass")
    encode = ENCODINGS[used.encoding]
    # hmac.digest would hand the interpreter to another thread each time, which costs more than the hash.
    made = [(key, hmac.new(key.secret, message, "sha256").digest()) for key in keys]
    signed = [key for key, digest in made if hmac.compare_digest(encode(digest), given)]
    return signed[0] if signed else None


def _age(timestamp: str, now: datetime, max_age: timedelta) -> tuple[str, tuple[str, ...]]:
    """The reason and the marks that the timestamp's age gives."""
    stamped = read_timestamp(timestamp)
    if stamped is None:
        return "verified", (TIMESTAMP_UNREADABLE,)
    if stamped < now - max_age:
        return "stale", ()
    return "verified", (TIMESTAMP_FUTURE,) if stamped > now + FUTURE_SLACK else ()


def _holds_secret(content: bytes, keys: Sequence[Key]) -> bool:
    """Whether one of our own secrets stands in the body: it would be stored for ever."""
    return any(len(key.secret) >= SHORTEST_TOLD and key.secret in content for key in keys)
