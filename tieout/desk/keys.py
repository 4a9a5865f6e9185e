"""API keys as people look at them: never a secret, only the beginning of its digest."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine

from store import api_keys

SHORT_COLUMNS: Final = ("key_id", "client", "state", "scopes", "not_after", "used_at")
COLUMNS: Final = (
    *("key_id", "client", "state", "scopes", "gateways", "fingerprint"),
    *("created_at", "not_before", "not_after", "used_at", "revoked_at", "revoked_why"),
)


def listing(engine: Engine) -> list[dict[str, object]]:
    """All keys by client, scopes and gateways as text."""
    with engine.connect() as connection:
        rows = [row._asdict() for row in api_keys.listing(connection)]
    return [{**row, "scopes": " ".join(row["scopes"]), "gateways": " ".join(row["gateways"])} for row in rows]
