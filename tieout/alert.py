"""An alert: a row that stays, a line in the log, a count for the monitor."""

from __future__ import annotations

import structlog
from prometheus_client import Counter
from sqlalchemy import Connection

from store.alerts import keep_alert

_LOG = structlog.get_logger("tieout.alert")
_ALERTS = Counter("tieout_alerts", "Alerts raised, each name, gateway and subject once.", ["name"])


def alert(connection: Connection, name: str, *, gateway: str = "", subject: str = "", detail: str = "") -> bool:
    """Raise an alert unless the same stands already; whether it is new."""
    new = keep_alert(connection, name=name, gateway=gateway, subject=subject, detail=detail)
    if new:
        _ALERTS.labels(name).inc()
        _LOG.error(f"alert.{name}", gateway=gateway, subject=subject, detail=detail)
    return new
