"""`tieout close` and `tieout reopen`: signing a day, and taking the signature back."""

from __future__ import annotations

from datetime import date

import click

from cli.context import clock, database, settings, the_gateway
from cli.day import EVERYTHING, TradeDate
from cli.show import FOUND, WRONG_CALL, Failure, as_json, stderr, stdout
from store.closed_days import Close
from tieout.closing import CannotCloseError, Signature, close_day, reopen_day
from tieout.desk.rupees import grouped
from tieout.holdings_recon import reconcile_holdings
from tieout.review import review_due
from tieout.rules import rules_from

CLOSE_EPILOG = """
\b
Examples:
  tieout close 2026-11-20 --by "Asha Rao"
  tieout close 2026-11-20 --by "Asha Rao" --despite "kite confirms B123 by mail, ticket 4711"
Write the root down where nobody who can reach the database can change it.
Exit status: 0 closed, 1 it cannot be closed and every reason is told.
"""
REOPEN_EPILOG = """
\b
Example:
  tieout reopen 2026-11-20 --by "Asha Rao" --why "kite corrected the price of O-1001"
What was signed stays on record; closing again makes the next version.
"""


@click.command(epilog=CLOSE_EPILOG)
@click.argument("trade_date", metavar="DATE", type=TradeDate())
@click.option("--by", required=True, help="Who signs.")
@click.option("--why", help="A remark that is kept with the signature.")
@click.option("--despite", help="Why it may be closed though something is pending.")
@click.option("--gateway", help="Which gateway, if you have several.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
def close(
    *, trade_date: date, by: str, why: str | None, despite: str | None, gateway: str | None, as_json_: bool
) -> None:
    """Close a trade date: it must add up, be judged, and nothing of it be pending."""
    name, now = the_gateway(gateway).name, clock().now()
    signature = Signature(by=by, now=now, why=why, despite=despite)
    rules = rules_from(settings())
    with database() as engine:
        review_due(engine, now=now, rules=rules, limit=EVERYTHING, gateway=name)
        reconcile_holdings(engine, now=now, rules=rules, limit=EVERYTHING, gateway=name)
        try:
            with stderr().status(f"closing {trade_date}") as status:
                closed = close_day(
                    engine,
                    gateway=name,
                    trade_date=trade_date,
                    signature=signature,
                    rules=rules,
                    allowed=settings().close_pending_most,
                    each=lambda step: status.update(f"closing {trade_date}: {step}"),
                )
        except CannotCloseError as error:
            raise _refused(trade_date, error) from None
    _show(closed, as_json_=as_json_)


@click.command(epilog=REOPEN_EPILOG)
@click.argument("trade_date", metavar="DATE", type=TradeDate())
@click.option("--by", required=True, help="Who reopens it.")
@click.option("--why", required=True, help="Why; it is kept.")
@click.option("--gateway", help="Which gateway, if you have several.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
def reopen(*, trade_date: date, by: str, why: str, gateway: str | None, as_json_: bool) -> None:
    """Take back the signature under a trade date."""
    signature = Signature(by=by, now=clock().now(), why=why)
    with database() as engine:
        try:
            reopened = reopen_day(engine, gateway=the_gateway(gateway).name, trade_date=trade_date, signature=signature)
        except CannotCloseError as error:
            raise Failure(WRONG_CALL, str(error)) from None
    _show(reopened, as_json_=as_json_)


def as_row(close: Close) -> dict[str, object]:
    """A close for machines."""
    names = (name for name in Close.__slots__ if name not in {"close_id", "rules", "digest", "root"})
    seals = {"digest": close.digest.hex(), "root": close.root.hex()}
    return {**{name: getattr(close, name) for name in names}, **seals}


def _refused(trade_date: date, error: CannotCloseError) -> Failure:
    lines = [f"{trade_date} cannot be closed:", *(f"  - {reason}" for reason in error.reasons)]
    if error.forgivable:
        lines.append("If it may be closed all the same, say why with --despite.")
    return Failure(FOUND, "\n".join(lines))


def _show(close: Close, *, as_json_: bool) -> None:
    if as_json_:
        click.echo(as_json(as_row(close)))
        return
    out = stdout()
    day = f"{close.gateway} · trade date {close.trade_date} · version {close.version}"
    if close.reopened_at is not None:
        out.print(f"{day} is open again: {close.reopened_why}")
        return
    out.print(f"{day} is closed, {grouped(close.rows)} rows sealed", style="green")
    out.print(f"digest {close.digest.hex()}")
    out.print(f"root   {close.root.hex()}")
    stderr().print("Keep the root where nobody who can reach the database can change it: see docs/proof.md.")
