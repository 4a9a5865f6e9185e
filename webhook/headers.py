"""Which request headers are kept: an allow list, so that no credential is ever among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

MAX_BYTES: Final = 16 << 10

ALLOWED: Final = (
    "accept",
    "content-type",
    "date",
    "forwarded",
    "host",
    "traceparent",
    "transfer-encoding",
    "user-agent",
    "via",
    "x-correlation-id",
    "x-event-id",
    "x-event-type",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "x-request-id",
    "x-webhook-id",
    "x-webhook-timestamp",
)
_NAMES: Final = {
    "CONTENT_TYPE" if name == "content-type" else "HTTP_" + name.upper().replace("-", "_"): name for name in ALLOWED
}


def kept(environ: Mapping[str, object]) -> dict[str, str]:
    """The allowed headers as the server gives them, at most 64 and 16 KiB in all."""
    found = {_NAMES[key]: str(environ[key]) for key in _NAMES.keys() & environ.keys()}
    if sum(map(len, found.values())) > MAX_BYTES:
        return _cut(found)
    return found


def as_json(headers: Mapping[str, str]) -> bytes:
    """The headers as a JSON object that any database text can hold."""
    return msgspec.json.encode(headers, order="sorted")


def _cut(headers: Mapping[str, str]) -> dict[str, str]:
    """The first ones that fit; a longer one is left out whole."""
    kept_ones, room = {}, MAX_BYTES
    for name, value in headers.items():
        if len(value) <= room:
            kept_ones[name] = value
            room -= len(value)
    return kept_ones
