"""What the address asks for."""

from __future__ import annotations

from flask import request

LONGEST = 200


def text_of(name: str) -> str | None:
    """That part of the query as text the database takes, not too long; None if it is absent or empty."""
    return request.args.get(name, "").replace("\0", "").strip()[:LONGEST] or None
