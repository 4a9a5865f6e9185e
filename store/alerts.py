"""Alerts as rows: each name, gateway and subject at most once a day."""

from __future__ import annotations

from sqlalchemy import Connection, text

_RAISE = text("""
insert into alerts (name, gateway, subject, detail) values (:name, :gateway, :subject, :detail)
on conflict (name, gateway, subject, day) do nothing
""")


def keep_alert(connection: Connection, *, name: str, gateway: str = "", subject: str = "", detail: str = "") -> bool:
    """Keep an alert; False if the same was raised on this day before, by the database's clock in UTC."""
    named = {"name": name, "gateway": gateway, "subject": subject, "detail": detail[:2000]}
    return connection.execute(_RAISE, named).rowcount == 1


_RECENT = text("""
select name, subject from alerts where at > clock_timestamp() - interval '1 day' order by at desc, alert_id desc
""")


def recent(connection: Connection) -> list[tuple[str, str]]:
    """Name and subject of each alert of the last day by the database's clock, the latest first."""
    return [(row.name, row.subject) for row in connection.execute(_RECENT)]
