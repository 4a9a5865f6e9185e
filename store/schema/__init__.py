"""Every table. Money and quantities are NUMERIC(20,6), instants are timestamptz, identities explicit.

`deliveries`, `attempts` and `snapshots` are partitioned by month; `events`, the table of
identities, is narrow and is not, so that a repeat is recognised for ever.
"""

from __future__ import annotations

from store.schema.arrivals import deliveries, events, refusals, signatures
from store.schema.callers import account_links, accounts, api_keys, creations
from store.schema.closes import closed_days, sealed_rows
from store.schema.columns import BOOK, COMPONENTS, DB_NOW, INSTANT, MONEY, metadata
from store.schema.facts import corporate_actions, positions, transfers
from store.schema.holdings import (
    holding_accounts,
    holding_attempts,
    holding_lines,
    holding_snapshots,
    mf_lines,
    smallcase_lines,
)
from store.schema.notes import note_lines, notes
from store.schema.orders import (
    batches,
    decisions,
    imports,
    instrument_versions,
    instruments,
    line_versions,
    our_lines,
    refused_rows,
    spellings,
    their_lines,
)
from store.schema.reference import charges, prices, ticks
from store.schema.service import alerts, periods, signs_of_life
from store.schema.transactions import (
    UNJUDGE,
    UNJUDGED_BY,
    attempts,
    breaker_changes,
    gateway_states,
    guide_prices,
    snapshots,
    transactions,
    unjudged,
)
from store.schema.verdicts import (
    VERDICTS,
    finding_changes,
    findings,
    holding_verdicts,
    line_verdicts,
    tied_out,
    verdicts,
)

#: What is made after the tables, in this order.
AFTER = (f"create view verdicts as\n{VERDICTS}", UNJUDGE, *UNJUDGED_BY)

__all__ = [
    "AFTER",
    "BOOK",
    "COMPONENTS",
    "DB_NOW",
    "INSTANT",
    "MONEY",
    "UNJUDGED_BY",
    "VERDICTS",
    "account_links",
    "accounts",
    "alerts",
    "api_keys",
    "attempts",
    "batches",
    "breaker_changes",
    "charges",
    "closed_days",
    "corporate_actions",
    "creations",
    "decisions",
    "deliveries",
    "events",
    "finding_changes",
    "findings",
    "gateway_states",
    "guide_prices",
    "holding_accounts",
    "holding_attempts",
    "holding_lines",
    "holding_snapshots",
    "holding_verdicts",
    "imports",
    "instrument_versions",
    "instruments",
    "line_verdicts",
    "line_versions",
    "metadata",
    "mf_lines",
    "note_lines",
    "notes",
    "our_lines",
    "periods",
    "positions",
    "prices",
    "refusals",
    "refused_rows",
    "sealed_rows",
    "signatures",
    "signs_of_life",
    "smallcase_lines",
    "snapshots",
    "spellings",
    "their_lines",
    "ticks",
    "tied_out",
    "transactions",
    "transfers",
    "unjudged",
    "verdicts",
]
