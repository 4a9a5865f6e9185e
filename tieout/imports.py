"""Importing a file of the company's: one database transaction, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from config.settings import Gateway
from config.statuses import read_statuses
from tieout.fact_import import IMPORTS as FACT_IMPORTS
from tieout.holdings_recon import reconcile_holdings
from tieout.import_report import Job, Progress, Report
from tieout.instrument_import import import_instruments
from tieout.note_import import IMPORTS as NOTE_IMPORTS
from tieout.order_import import import_orders
from tieout.reference_import import IMPORTS as REFERENCE
from tieout.review import review_due
from tieout.rules import Rules
from tieout.transaction_import import import_transactions

KINDS: Mapping[str, Callable[[Connection, Job], Report]] = {
    "orders": import_orders,
    "instruments": import_instruments,
    "transactions": import_transactions,
    **REFERENCE,
    **NOTE_IMPORTS,
    **FACT_IMPORTS,
}
REVIEWED_AT_ONCE = 2_000  #: transactions judged right after an import; the sweep does the others


class WrongImportError(ValueError):
    """The import was asked for in a way that makes no sense; the message says what to do."""


def import_file(
    engine: Engine,
    *,
    kind: str,
    file: Path,
    gateways: Sequence[Gateway],
    now: datetime,
    rules: Rules,
    complete_for: date | None = None,
    dry_run: bool = False,
    statuses: Mapping[str, str] | None = None,
    progress: Progress = lambda _done, _total: None,
) -> Report:
    """Import a file of one of `KINDS`; on a dry run only say what would happen.

    Good rows are taken, bad ones are reported and, of orders, kept aside. What an import changed is
    judged anew before this returns, up to a bound; the sweep or `tieout reconcile` judges the others.
    `now` is the domain's instant.
    Raises `UnreadableFileError` and `WrongImportError`; then nothing was written.
    """
    _check(kind, gateways, complete_for)
    job = Job(
        file=file,
        gateways=gateways,
        statuses=statuses or read_statuses(),
        now=now,
        rules=rules,
        complete_for=complete_for,
        progress=progress,
    )
    report = _run(engine, KINDS[kind], job, dry_run=dry_run)
    if not dry_run:
        review_due(engine, now=now, rules=rules, limit=REVIEWED_AT_ONCE)
        reconcile_holdings(engine, now=now, rules=rules, limit=REVIEWED_AT_ONCE)
    return report


def _run(engine: Engine, importing: Callable[[Connection, Job], Report], job: Job, *, dry_run: bool) -> Report:
    """A dry run does everything and takes it back."""
    with engine.connect() as connection, connection.begin() as transaction:
        report = importing(connection, job)
        if dry_run:
            transaction.rollback()
    return replace(report, dry_run=dry_run)


def _check(kind: str, gateways: Sequence[Gateway], complete_for: date | None) -> None:
    if kind not in KINDS:
        raise WrongImportError(f"{kind} cannot be imported: one of {', '.join(KINDS)}")
    if complete_for and kind != "orders":
        raise WrongImportError("--complete is about the orders of a day: give it when importing orders")
    if kind not in {"instruments", "corporate-actions", *REFERENCE} and not gateways:
        raise WrongImportError("there is no gateway: set TIEOUT_GATEWAY_NAME, or name one in config/gateways.toml")
