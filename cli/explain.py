"""`tieout explain`: why an order ended up where it did."""

from __future__ import annotations

import click

from cli.context import clock, database, settings
from cli.show import WRONG_CALL, Failure, as_json, show_rows, stdout
from recon.explain import Explanation
from tieout.desk.explain import Explained, as_row
from tieout.desk.explain import explain as explained
from tieout.desk.meanings import meaning
from tieout.rules import rules_from

EPILOG = """
\b
Examples:
  tieout explain O-17                  an order of your books
  tieout explain 1000000010241945      an order of the exchange
  tieout explain TRX_5f03... --json    every order of a transaction, for machines
It is judged as of now from what is stored; nothing is written. Exit status: 0 explained, 2 nothing has that id.
"""
COLUMNS = ("field", "ours as it came", "ours", "theirs as it came", "theirs", "says")


@click.command(epilog=EPILOG)
@click.argument("name", metavar="ORDER_ID|EXCHANGE_ID|TRANSACTION_ID")
@click.option("--gateway", help="Only of this gateway.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object a transaction.")
def explain(*, name: str, gateway: str | None, as_json_: bool) -> None:
    """Explain an order: the key used, both values, tolerance and what of it was used, who was refused and why."""
    rules, now = rules_from(settings()), clock().now()
    with database() as engine:
        found = explained(engine, name, rules=rules, now=now, gateway=gateway)
    if not found:
        look = "look with tieout breaks; what an account holds is told by tieout holdings show ACCOUNT"
        raise Failure(WRONG_CALL, f"no order or transaction has the id {name!r}: {look}")
    for each in found:
        if as_json_:
            click.echo(as_json(as_row(each)))
        else:
            _print(each)


def _print(found: Explained) -> None:
    stdout().print(f"\n{found.gateway} · {found.transaction_id} · rule set {found.rule_set}", style="bold")
    if not found.settled:
        stdout().print(
            "two answers of the Gateway overlapped and disagree: nothing is concluded until it is asked again"
        )
    for order in found.orders:
        _print_order(order)


def _print_order(order: Explanation) -> None:
    out = stdout()
    out.print(f"\n{_names('ours', order.ours)} · {_names('theirs', order.theirs)} · {order.bucket}", style="bold")
    step = "" if order.step is None else f"step {order.step}: "
    out.print(f"{step}{order.key}")
    rows = [dict(zip(COLUMNS, _cells(each), strict=True)) for each in order.compared]
    if rows:
        show_rows(rows, columns=COLUMNS)
        price = next(each for each in order.compared if each.field == "average_price")
        out.print(f"tolerance of the price: {price.tolerance}; of all else none, ever", style="dim")
    for found in order.findings:
        pending = " (pending)" if found.waiting else ""
        out.print(f"{found.name}{pending}: {meaning(found.name)}")
    for refused in order.refused:
        out.print(f"not {refused.line}: {refused.why}", style="dim")


def _cells(each: object) -> tuple[object, ...]:
    return tuple(getattr(each, name) for name in ("field", "ours_raw", "ours", "theirs_raw", "theirs", "says"))


def _names(side: str, names: tuple[str, ...]) -> str:
    return f"{side} {', '.join(names)}" if names else f"{side}: no line"
