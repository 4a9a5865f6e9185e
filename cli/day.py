"""`tieout day`: how one trade date ties out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import click
from rich.box import SIMPLE_HEAD
from rich.table import Table
from sqlalchemy import Engine

from cli.context import clock, database, settings, the_gateway
from cli.instants import Instant, looking_back
from cli.show import FOUND, as_json, in_ist, stderr, stdout
from config.calendar import IST
from config.settings import Settings
from store.closed_days import Close
from store.days import be_patient
from tieout.desk.day import Day, Equation, Figures
from tieout.desk.day import as_json as day_as_json
from tieout.desk.day import day as day_of
from tieout.desk.rupees import grouped, rupees, shares
from tieout.desk.unchecked import Unchecked
from tieout.full import Scope, judge_scope
from tieout.holdings_recon import reconcile_holdings
from tieout.rules import rules_from

EVERYTHING = 10**9
WIDE = 110  #: columns in which both sides stand beside each other without breaking a figure
SIDES = ("ours", "theirs")

EPILOG = """
\b
Examples:
  tieout day                      today, IST
  tieout day 2026-11-20           one trade date
  tieout day 2026-11-20 --json    the same for machines: one JSON object
  tieout day 2026-11-20 --as-of 2026-11-20T21:00   as it was known at 21:00 IST
Exit status: 0 it ties out, 1 something is unaccounted for.
"""


class TradeDate(click.ParamType[date]):
    """A date as YYYY-MM-DD."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Read the date, or say how to write it."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date: write it as 2026-11-20", param, ctx)


@click.command(epilog=EPILOG)
@click.argument("trade_date", metavar="[DATE]", type=TradeDate(), required=False)
@click.option("--gateway", help="Which gateway, if you have several.")
@click.option("--as-of", "instant", type=Instant(), metavar="INSTANT", help="As it was known then; IST without a zone.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
def day(*, trade_date: date | None, gateway: str | None, instant: datetime | None, as_json_: bool) -> None:
    """Show how one trade date ties out; judges first what is due."""
    name, now = the_gateway(gateway).name, clock().now()
    wanted = trade_date or now.astimezone(IST).date()
    with database() as engine:
        if instant is None:
            found = tied_out(engine, settings(), name, wanted, now)
        else:
            found = known_then(engine, name, wanted, instant)
    if as_json_:
        click.echo(as_json(day_as_json(found)))
    else:
        print_day(found)
    if not found.ties_out:
        raise SystemExit(FOUND)


def tied_out(engine: Engine, settings: Settings, gateway: str, trade_date: date, now: datetime) -> Day:
    """The day, after judging what is due of that gateway."""
    rules = rules_from(settings)
    judge_scope(engine, scope=Scope(gateway=gateway), now=now, rules=rules)
    reconcile_holdings(engine, now=now, rules=rules, limit=EVERYTHING, gateway=gateway)
    with engine.connect() as connection:
        be_patient(connection)
        return day_of(connection, gateway=gateway, trade_date=trade_date, as_of=now)


def known_then(engine: Engine, gateway: str, trade_date: date, instant: datetime) -> Day:
    """The day as it was known at an instant."""
    with looking_back(engine, gateway=gateway, trade_date=trade_date, instant=instant) as then:
        book = then.scope["book"]
        return day_of(then.connection, gateway=gateway, trade_date=trade_date, as_of=instant, book=book)


def print_day(day: Day) -> None:
    """Print the tie-out table of a day."""
    out = stdout()
    if not out.is_terminal:
        out.width = WIDE
    out.print(f"\n{day.gateway} · trade date {day.trade_date} · {_as_of(day)}{_book(day)}\n", style="bold")
    table = _side_by_side if out.width >= WIDE else _one_below_the_other
    out.print(table("orders", day.orders))
    if day.holdings:
        out.print(table("holdings", day.holdings))
    if day.findings:
        out.print(_findings(day))
    if day.tolerance.by_rounding or day.tolerance.by_slack:
        out.print(_tolerance(day), style="dim")
    if day.unchecked:
        out.print(_unchecked(day.unchecked), style="dim", markup=False)
    if day.ties_out:
        out.print("\nEvery line of both sides is accounted for.", style="green")
    else:
        _print_apart(day)
    if day.digest:
        out.print(f"digest {day.digest}", style="dim")
    if day.close is not None:
        out.print(_signature(day, day.close), style="yellow" if day.changed else "green")


def _print_apart(day: Day) -> None:
    for equation in (day.orders, day.holdings):
        if equation and equation.unaccounted:
            stderr().print(_apart(equation.unaccounted), style="bold red")


def _as_of(day: Day) -> str:
    return f"as of {in_ist(day.as_of)}"


def _signature(day: Day, close: Close) -> str:
    signed = f"closed by {close.closed_by}, {in_ist(close.closed_at)}"
    if day.changed:
        return f"{signed}; it has changed since: tieout verify {day.trade_date} names what, tieout asof says why"
    return f"{signed}; root {close.root.hex()}"


def _book(day: Day) -> str:
    return "" if day.book == "live" else f" · book {day.book}"


def _side_by_side(what: str, equation: Equation) -> Table:
    table = _figures_table(what, [f"{side}\n{figure}" for side in SIDES for figure in ("lines", "shares", "rupees")])
    for name in equation.bucket_names:
        table.add_row(name, *(cell for side in SIDES for cell in _cells(equation.bucket(name, side))))
    table.add_section()
    table.add_row("total", *_cells(equation.ours), *_cells(equation.theirs), style="bold")
    return table


def _one_below_the_other(what: str, equation: Equation) -> Table:
    table = _figures_table(what, ["side", "lines", "shares", "rupees"])
    for name in equation.bucket_names:
        for side in SIDES:
            table.add_row(name if side == "ours" else "", side, *_cells(equation.bucket(name, side)))
    table.add_section()
    table.add_row("total", "ours", *_cells(equation.ours), style="bold")
    table.add_row("", "theirs", *_cells(equation.theirs), style="bold")
    return table


def _figures_table(first: str, figures: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for figure in figures:
        table.add_column(figure, justify="right", no_wrap=True)
    return table


def _cells(figures: object) -> tuple[str, str, str]:
    count, quantity, amount = (getattr(figures, name) for name in ("count", "quantity", "amount"))
    return (grouped(count), shares(quantity), rupees(amount)) if count else ("·", "·", "·")


def _findings(day: Day) -> Table:
    table = _figures_table("findings", ["class", "count", "impact, rupees"])
    for named in day.findings:
        table.add_row(named.name, named.finding_class, grouped(named.count), rupees(named.impact_inr))
    return table


def _tolerance(day: Day) -> str:
    used = day.tolerance
    slack = f", {grouped(used.by_slack)} forgiven by slack: {rupees(used.slack_inr)} rupees" if used.by_slack else ""
    return f"prices matched within tolerance: {grouped(used.by_rounding)} explained by rounding{slack}"


def _unchecked(unchecked: Unchecked) -> str:
    """How many, and for each kind of fact the shares that lack it and the command that brings it."""
    both = f"{grouped(unchecked.ours)} of ours and {grouped(unchecked.theirs)} of theirs"
    told = [f"filled lines whose price could not be checked for plausibility: {both}"]
    for each in unchecked.missing:
        named = ", ".join(each.named) + (" ..." if each.shares > len(each.named) else "")
        shares_ = f"{grouped(each.shares)} {'share' if each.shares == 1 else 'shares'} ({named})"
        told.append(f"  no {each.what} of {shares_}, {grouped(each.lines)} lines: tieout import {each.kind} FILE")
    return "\n".join(told)


def _apart(unaccounted: Figures) -> str:
    return (
        f"Unaccounted: {grouped(unaccounted.count)} lines, {shares(unaccounted.quantity)} shares, "
        f"{rupees(unaccounted.amount)} rupees. Run: tieout reconcile --again, then look at the alerts."
    )
