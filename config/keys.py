"""Several secrets at once, each with an id and an optional window in which it is valid."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

_FORM = re.compile(r"(?P<id>[A-Za-z0-9_.-]{1,32})(@(?P<start>[^/:\s]*)/(?P<end>[^/:\s]*))?:(?P<secret>\S+)")


class BadKeyError(ValueError):
    """A key setting is not of the form `id[@FROM/UNTIL]:secret`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One secret with its name; the secret is never shown."""

    key_id: str
    secret: bytes = field(repr=False)
    not_before: datetime | None = None
    not_after: datetime | None = None

    def valid_at(self, now: datetime) -> bool:
        """Whether the key counts at that instant; the end is exclusive."""
        after = self.not_before is None or self.not_before <= now
        return after and (self.not_after is None or now < self.not_after)

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that name the secret without telling it."""
        return hashlib.sha256(b"tieout fingerprint\0" + self.secret).hexdigest()[:8]


def parse_keys(text: str) -> tuple[Key, ...]:
    """Read keys separated by white space: `id[@FROM/UNTIL]:secret`, dates ISO and UTC.

    Raises `BadKeyError`, which names the position of the bad one and never its secret.
    """
    keys = tuple(_parse_key(part, n) for n, part in enumerate(text.split(), start=1))
    if len({key.key_id for key in keys}) != len(keys):
        raise BadKeyError("two keys have the same id: give each its own, such as k1:... k2:...")
    return keys


def _parse_key(text: str, position: int) -> Key:
    if (form := _FORM.fullmatch(text)) is None:
        raise BadKeyError(f"key {position} is not of the form id[@FROM/UNTIL]:secret, such as k1:s3cret")
    begins, ends = _instant(form["start"], position), _instant(form["end"], position)
    if begins and ends and begins >= ends:
        raise BadKeyError(f"key {position} has a window that ends before it begins: write it as @FROM/UNTIL")
    return Key(key_id=form["id"], secret=form["secret"].encode(), not_before=begins, not_after=ends)


def _instant(text: str | None, position: int) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        raise BadKeyError(f"key {position} has a window that is not of ISO dates: {text!r}") from None
