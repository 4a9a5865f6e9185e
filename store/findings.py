"""Findings: opened, kept, changed, closed and reopened within the scope of one judgement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from store import schema
from store.recordset import as_parameter, records
from store.together import Asked, Query

_LIFE = {"opened_at", "closed_at", "reopened", "rev"}
SAID = tuple(c.name for c in schema.findings.c if c.name not in _LIFE)
_NAMES = ", ".join(f'"{name}"' for name in SAID)


def _of(alias: str, names: Sequence[str]) -> str:
    return ", ".join(f'{alias}."{name}"' for name in names)


_CHANGED = f"({_of('o', SAID)}) is distinct from ({_of('s', SAID)})"
_VALUES = ("class", "ours", "theirs", "difference", "tolerance")
_VALUES_CHANGED = f"({_of('o', _VALUES)}) is distinct from ({_of('s', _VALUES)})"

#: One statement; every part of it sees the findings as they were before it. Those to be compared are looked for
#: twice, each time by its own index (`offset 0` keeps the planner from another): for both at once all that were ever
#: found would be read.
_STATEMENT = f"""
with said as materialized (
  select * from {records(schema.findings, *SAID, "rev")}
), old as materialized (
  select f.* from findings f where f.finding_id = any(array(select finding_id from said))
  union all
  select f.* from (select * from findings f where {{scope}} offset 0) f
  where f.closed_at is null and f.finding_id not in (select finding_id from said)
), opened as (
  insert into findings ({_NAMES}, rev, opened_at)
  select {_of("s", SAID)}, s.rev, :now from said s
  where not exists (select from old o where o.finding_id = s.finding_id)
  returning finding_id, 'opened' as change, rev, ours, theirs
), kept as (
  update findings f set ({_NAMES}, rev) = row({_of("s", SAID)}, s.rev),
    closed_at = null,
    reopened = f.reopened + (o.closed_at is not null)::int
  from said s join old o on o.finding_id = s.finding_id
  where f.finding_id = s.finding_id and (o.closed_at is not null or {_CHANGED})
  returning f.finding_id,
    case when o.closed_at is not null then 'reopened' when {_VALUES_CHANGED} then 'changed' end as change,
    f.rev, f.ours, f.theirs
), closed as (
  update findings f set closed_at = :now
  from old o
  where f.finding_id = o.finding_id and o.closed_at is null
    and o.finding_id not in (select finding_id from said)
  returning f.finding_id, 'closed' as change, f.rev, f.ours, f.theirs
), changes as (
  select * from opened union all select * from kept where change is not null union all select * from closed
), logged as (
  insert into finding_changes (finding_id, at, change, rev, ours, theirs)
  select finding_id, :now, change, rev, ours, theirs from changes
)
select change, count(*) as number from changes group by change
"""
_WRITE = Query(_STATEMENT.format(scope="f.txn = any(:txns)"))
_WRITE_HELD = Query(_STATEMENT.format(scope="f.gateway = :gateway and f.account = any(:accounts)"))


def findings_said(txns: Sequence[int], said: Sequence[Mapping[str, object]], *, now: datetime) -> Asked:
    """Make `said` the open findings of these transactions, and log what that changed.

    Rows have the columns of `SAID` and `rev`, each finding_id once. Returns `change` with its `number`.
    A finding that stands as it stood is not written.
    """
    return _WRITE.of(txns=list(txns), rows=as_parameter(said), now=now)


def held_findings_said(
    gateway: str, accounts: Sequence[str], said: Sequence[Mapping[str, object]], *, now: datetime
) -> Asked:
    """The same for what these accounts hold."""
    return _WRITE_HELD.of(gateway=gateway, accounts=list(accounts), rows=as_parameter(said), now=now)
