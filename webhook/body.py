"""Read a request's body by ourselves: as many bytes as are allowed and one more, and never part of it.

The server hands over a body cut short of its length as if it were whole, and a framework's own cap
cuts a chunked one silently; so lengths are compared here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol, cast

LONGEST_LENGTH: Final = 19  #: digits of a length that can be meant


class Stream(Protocol):
    """What the server gives to read a body from."""

    def read(self, size: int = ..., /) -> bytes:
        """As many bytes as asked for; fewer only at the end."""
        ...


class NoBodyError(Exception):
    """The body is not taken; `status` and `reason` say why."""

    def __init__(self, status: int, reason: str) -> None:
        """Take the answer to give."""
        super().__init__(reason)
        self.status = status
        self.reason = reason


def read_body(environ: Mapping[str, object], *, max_bytes: int) -> bytes:
    """The raw body. Raises `NoBodyError`: too-large, encoded, bad-length, cut-short."""
    if environ.get("HTTP_CONTENT_ENCODING", "identity") not in ("identity", ""):
        raise NoBodyError(400, "encoded")
    length = _length(environ.get("CONTENT_LENGTH"))
    if length is not None and length > max_bytes:
        raise NoBodyError(413, "too-large")
    body = _read(cast("Stream", environ["wsgi.input"]), max_bytes + 1 if length is None else length)
    if len(body) > max_bytes:
        raise NoBodyError(413, "too-large")
    if length is not None and len(body) != length:
        raise NoBodyError(400, "cut-short")
    return body


def _length(value: object) -> int | None:
    if not isinstance(value, str) or not value:
        return None
    if not (value.isascii() and value.isdigit() and len(value) <= LONGEST_LENGTH):
        raise NoBodyError(400, "bad-length")
    return int(value)


def _read(stream: Stream, limit: int) -> bytes:
    body = stream.read(limit)
    while len(body) < limit and (more := stream.read(limit - len(body))):
        body += more
    return body
