"""How much is still to do, by kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """What is not yet done for one gateway: events, questions due about orders and holdings, claims, verdicts due."""

    events: int
    settled: int
    asks: int
    claims: int
    verdicts: int

    @property
    def idle(self) -> bool:
        """Nothing is left to do until something comes or time goes on."""
        return not (self.events or self.asks or self.claims or self.verdicts)


_OPEN_WORK = text("""
select
  (select count(*) from events where gateway = :gateway and state in ('received', 'claimed', 'waiting')) as events,
  (select count(*) from events where gateway = :gateway and state in ('done', 'parked')) as settled,
  count(*) filter (where ask_at <= :now)
    + (select count(*) from holding_accounts where gateway = :gateway and next_fetch_at <= :now) as asks,
  count(*) filter (where lease_until is not null)
    + (select count(*) from holding_accounts where gateway = :gateway and lease_until is not null) as claims,
  count(*) filter (where review_at <= :now or exists (select from unjudged u where u.txn = transactions.txn))
    + (select count(*) from holding_accounts where gateway = :gateway and judged_rev < rev and state <> 'unlinked'
       and exists (select from positions p where p.gateway = :gateway)) as verdicts
from transactions where gateway = :gateway
""")


def open_work(connection: Connection, *, gateway: str, now: datetime) -> OpenWork:
    """Count what is open as of `now`, the domain's instant."""
    row = connection.execute(_OPEN_WORK, {"gateway": gateway, "now": now}).one()
    return OpenWork(**row._asdict())


_STATED = text("""
select distinct name, transaction_id, line from findings
where gateway = :gateway and closed_at is null and txn is not null
""")


def stated_findings(connection: Connection, *, gateway: str) -> frozenset[tuple[str, str, str | None]]:
    """All open findings as (name, transaction_id, line)."""
    rows = connection.execute(_STATED, {"gateway": gateway})
    return frozenset((row.name, row.transaction_id, row.line) for row in rows)
