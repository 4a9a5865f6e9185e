"""An alert: a row that stays, counted there for the monitor, and a line in the log."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from store.alerts import keep_alert

_LOG = structlog.get_logger("tieout.alert")


def alert(connection: Connection, name: str, *, gateway: str = "", subject: str = "", detail: str = "") -> bool:
    """Raise an alert unless the same was raised today; whether it is new."""
    new = keep_alert(connection, name=name, gateway=gateway, subject=subject, detail=detail)
    if new:
        _LOG.error(f"alert.{name}", gateway=gateway, subject=subject, detail=detail)
    return new
