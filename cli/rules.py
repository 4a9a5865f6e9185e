"""`tieout rules`: the rule sets there are, whether a file is one, and what another one would say."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import click
from sqlalchemy import Engine

from cli.context import clock, database, settings, the_gateway
from cli.day import TradeDate
from cli.show import WRONG_CALL, Failure, as_json, output_options, show_rows, stderr, stdout
from config.rulesets import BadRuleSetError, RuleSet, find_rule_set, read_rule_set, rule_sets
from recon.lines import plain_text
from tieout.comparison import Compared, Otherwise, compare
from tieout.desk.rupees import grouped, rupees
from tieout.rules import Rules, policy_from, rules_from

EPILOG = """
\b
Examples:
  tieout rules list                                        which there are, and which is in use
  tieout rules show one-tick                               what one says
  tieout rules check mine.toml                             is this file a rule set?
  tieout rules compare default one-tick --date 2026-11-20  what the second would say otherwise
TIEOUT_RULES names the one that counts; after changing it: tieout reconcile --again
"""
COLUMNS = ("name", "in_use", "why", "file")
SHOWN = 20  #: differences a person is shown


@click.group(epilog=EPILOG)
def rules() -> None:
    """List, show, check and compare rule sets."""


@rules.command("list")
@output_options
def list_(*, as_json: bool, as_csv: bool) -> None:
    """List the rule sets that ship; the one in use is marked."""
    used = _found(settings().rules)
    sets = rule_sets()
    shown = [*sets, *([used] if used.file not in {each.file for each in sets} else [])]
    rows = [{"name": e.name, "in_use": e.name == used.name, "why": e.why, "file": str(e.file)} for e in shown]
    columns = COLUMNS if as_json or as_csv else COLUMNS[:3]
    show_rows(rows, columns=columns, as_json=as_json, as_csv=as_csv)


@rules.command()
@click.argument("name", required=False)
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
def show(*, name: str | None, as_json_: bool) -> None:
    """Show what a rule set says; the one in use, with what settings replace, if none is named."""
    found = _found(name or settings().rules)
    policy = found.policy if name else policy_from(settings(), found.policy)
    said = {key: getattr(policy, key) for key in type(policy).__slots__}
    said = {key: str(value) if not isinstance(value, int | None) else value for key, value in said.items()}
    if as_json_:
        click.echo(as_json({**said, "why": found.why, "file": str(found.file)}))
    else:
        show_rows(
            [{"rule": key.replace("_", " "), "says": value} for key, value in said.items()], columns=("rule", "says")
        )
        stdout().print(f"\n{found.why}", style="dim")


@rules.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def check(*, file: Path) -> None:
    """Say whether the file is a rule set, and all that is wrong with it."""
    try:
        found = read_rule_set(file)
    except BadRuleSetError as error:
        raise Failure(WRONG_CALL, str(error)) from None
    click.echo(f"{file} is the rule set {found.name}")


@rules.command("compare")
@click.argument("first")
@click.argument("second")
@click.option("--date", "trade_date", type=TradeDate(), required=True, help="The trade date to judge by both.")
@click.option("--gateway", help="Which gateway, if you have several.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object a difference, then the whole.")
def compare_(*, first: str, second: str, trade_date: date, gateway: str | None, as_json_: bool) -> None:
    """Judge a day by two rule sets on the same frozen inputs and print what differs; nothing is stored."""
    sets = (_found(first), _found(second))
    name = the_gateway(gateway).name
    with database() as engine:
        whole, differences = _compared(engine, name, trade_date, sets, as_json_=as_json_)
    if as_json_:
        click.echo(as_json(whole.as_row(sets[0].name, sets[1].name)))
    else:
        _print(whole, differences, sets)


def _compared(
    engine: Engine, gateway: str, trade_date: date, sets: tuple[RuleSet, RuleSet], *, as_json_: bool
) -> tuple[Compared, list[Otherwise]]:
    """Compare; differences go out as they are found, or the first of them are kept for people."""
    kept: list[Otherwise] = []

    def heard(otherwise: Otherwise) -> None:
        if as_json_:
            click.echo(as_json({key: getattr(otherwise, key) for key in Otherwise.__slots__}))
        elif len(kept) < SHOWN:
            kept.append(otherwise)

    usual = rules_from(settings())
    both = (Rules(sets[0].policy, usual.calendar, usual.market), Rules(sets[1].policy, usual.calendar, usual.market))
    with engine.connect() as connection:
        whole = compare(connection, gateway=gateway, trade_date=trade_date, rules=both, now=clock().now(), each=heard)
    return whole, kept


def _print(whole: Compared, differences: list[Otherwise], sets: tuple[RuleSet, RuleSet]) -> None:
    first, second = (each.name for each in sets)
    stdout().print(f"{grouped(whole.transactions)} transactions, {grouped(whole.lines)} lines judged by both")
    for name, count, slack in zip((first, second), whole.slack, whole.slack_inr, strict=True):
        stdout().print(f"{name}: {grouped(count)} matches used slack, {rupees(slack)} rupees")
    if not whole.changes:
        stdout().print("both say the same of every line", style="green")
        return
    rows = [
        {first: was, second: becomes, "count": grouped(count), "rupees": rupees(whole.impact_inr[(was, becomes)])}
        for (was, becomes), count in sorted(whole.changes.items())
    ]
    show_rows(rows, columns=(first, second, "count", "rupees"))
    for each in differences:
        cost = plain_text(each.impact_inr)
        stdout().print(f"  {each.transaction_id} {each.subject}: {each.was} -> {each.becomes}, {cost} rupees")
    if sum(whole.changes.values()) > len(differences):
        stderr().print(f"The first {len(differences)}; all of them with --json.")


def _found(named: str) -> RuleSet:
    try:
        return find_rule_set(named)
    except BadRuleSetError as error:
        raise Failure(WRONG_CALL, str(error)) from None
