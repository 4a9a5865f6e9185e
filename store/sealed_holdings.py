"""Which rows of holdings a closed day rests on: its verdicts, and the facts and answers that they were judged by.

A finding about holdings lives on from day to day, so it is sealed as its verdict keeps it.
"""

from __future__ import annotations

from recon.holdings.descent import EARLY
from recon.holdings.ledger import TRANSFERRED
from store import schema
from store.sealed import Sealed

#: The accounts judged that day, and by which answers; after `USED`.
JUDGED = """, day_held as materialized (
  select account, min(opening_as_of) as as_of from holding_verdicts
  where gateway = :gateway and book = :book and trade_date = :trade_date group by account
), day_openings as materialized (
  select distinct account, opening_as_of from holding_verdicts
  where gateway = :gateway and book = :book and trade_date = :trade_date and opening_as_of is not null
), day_answers as materialized (
  select s.snapshot_id, s.lines_in from holding_snapshots s
  where s.snapshot_id in (
    select snapshot_id from holding_verdicts
    where gateway = :gateway and book = :book and trade_date = :trade_date and snapshot_id is not null)
)"""

HELD = (
    Sealed(
        schema.corporate_actions,
        "",
        "concat_ws('/', r.kind, r.isin, r.ex_date, r.version)",
        f"r.ex_date <= cast(:trade_date as date) + {EARLY.days} and exists (select from day_held)",
    ),
    Sealed(
        schema.holding_lines,
        "",
        "r.snapshot_id || '/' || r.position",
        "r.snapshot_id in (select lines_in from day_answers)",
    ),
    Sealed(
        schema.holding_snapshots,
        "",
        "r.snapshot_id::text",
        "r.snapshot_id in (select snapshot_id from day_answers union select lines_in from day_answers)",
    ),
    Sealed(
        schema.holding_verdicts,
        "",
        "r.account || '/' || r.isin",
        "r.gateway = :gateway and r.book = :book and r.trade_date = :trade_date",
    ),
    Sealed(
        schema.positions,
        "join day_openings d on d.account = r.account and d.opening_as_of = r.as_of",
        "concat_ws('/', r.account, r.as_of, r.isin, r.version)",
        "r.gateway = :gateway",
    ),
    Sealed(
        schema.transfers,
        f"join day_held d on d.account = r.account and r.date >= d.as_of - {TRANSFERRED.days}",
        "r.reference || '/' || r.version",
        "r.gateway = :gateway and r.date <= :trade_date",
    ),
)
