"""Customers of a simulated day: what the books say of them, and the truth about it."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal

import pytest

from config.brokers import read_brokers
from config.calendar import exchange_calendar
from gateway.holdings import read_holdings
from recon.holdings.judge import judge_holdings
from recon.holdings.values import Action, HoldingsCase, Opening, OrderBreak, Position, Shown, ShownRow, Trade
from recon.values import ZERO
from simulator.customers import PLOTS, Customers, customers
from simulator.day import Day
from simulator.exchange import Exchange, date_in_india
from simulator.ledger import Bonus, Fill
from simulator.people import People, Person
from simulator.positions import positions_csv
from simulator.shares import SHARES
from simulator.world import World

DAY = Day(date(2026, 11, 18))
SHARE_OF = {share.symbol: share for share in SHARES}


def drawn(seed: int, count: int = 30) -> tuple[Customers, World]:
    """So many customers, and the world after they have traded and logged in."""
    found = customers(count, day=DAY, seed=seed, exchange=Exchange())
    people = People()
    for person in found.persons:
        people.add(person)
    for step in found.steps:
        person = next(each for each in found.persons if each.name == step.person)
        for symbol, bought in step.buy.items():
            share = SHARE_OF[symbol]
            person.fills.append(Fill(at=step.at, share=share, quantity=bought, price=share.price))
        if step.intent == "HOLDINGS_IMPORT" and person.consented:
            person.log_in(step.at)
    return found, World(people=people, actions=found.actions)


def found_of(found: Customers, world: World) -> set[tuple[str, str, str | None]]:
    """What the rules find, from the file that is imported and the answers that are given."""
    rows = list(csv.DictReader(io.StringIO(positions_csv(world, DAY.evening).decode())))
    said: set[tuple[str, str, str | None]] = set()
    for person in found.persons:
        mine = [row for row in rows if row["account"] == person.account.auth_id]
        for verdict in judge_holdings(_case(found, world, person, mine)):
            said |= {(finding.name, person.account.auth_id, finding.subject) for finding in verdict.findings}
    return said


def _case(found: Customers, world: World, person: Person, mine: list[dict[str, str]]) -> HoldingsCase:
    bought = [(step, symbol, n) for step in found.steps if step.person == person.name for symbol, n in step.buy.items()]
    calendar = exchange_calendar()
    return HoldingsCase(
        account=person.account.auth_id,
        day=DAY.trade_date,
        calendar=calendar,
        opening=_opening(mine),
        shown=_shown(world, person) if person.consented else None,
        trades=tuple(
            Trade(
                ref=step.person, isin=SHARE_OF[symbol].isin, quantity=Decimal(n), trade_date=date_in_india(step.at),
                settles_on=calendar.session_after(DAY.trade_date),
            )
            for step, symbol, n in bought if step.booked
        ),
        actions=tuple(_action(each) for each in found.actions if isinstance(each, Bonus)),
        order_breaks=tuple(
            OrderBreak(ref="b", name="missing-internal", isin=SHARE_OF[symbol].isin, quantity=Decimal(n))
            for step, symbol, n in bought if not step.booked
        ),
        adapter=read_brokers().adapter(person.account.broker),
    )  # fmt: skip


def _opening(mine: list[dict[str, str]]) -> Opening:
    held = [Position(isin=r["isin"], quantity=Decimal(r["quantity"]), average_price=_price(r)) for r in mine]
    return Opening(as_of=date.fromisoformat(mine[0]["as_of"]), positions=tuple(held))


def _price(row: dict[str, str]) -> Decimal | None:
    return Decimal(row["average_price"]) if row["average_price"] else None


def _shown(world: World, person: Person) -> Shown:
    told = world.holdings.told(person, DAY.evening)
    lines = read_holdings(json.dumps({"success": True, "data": told}).encode()).lines
    rows = [
        ShownRow(
            isin=line.isin, symbol=f"NSE:{line.bse_ticker}", held=line.held or ZERO, nse=line.nse_quantity or ZERO,
            bse=line.bse_quantity or ZERO, pledged=line.collateral or ZERO, average=line.held_average,
        )
        for line in lines
    ]  # fmt: skip
    return Shown(ref="1", day=DAY.trade_date, rows=tuple(rows))


def _action(bonus: Bonus) -> Action:
    return Action(
        kind="bonus", isin=SHARE_OF[bonus.symbol].isin, ex_date=bonus.ex_date, ratio_from=Decimal(bonus.per),
        ratio_to=Decimal(bonus.give), temporary_isin=bonus.temporary_isin, credited_by=bonus.credited_on,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(1, 9))
def test_what_is_found_of_customers_is_what_was_planted(seed: int) -> None:
    """From the very positions file and the very answers the rules find the truth, no more and no less."""
    found, world = drawn(seed)
    assert found_of(found, world) == set(found.held)
    assert {name for name, _, _ in found.held} == {
        "unsettled-t1", "orphan-fill", "unexplained", "avg-cost", "bonus-pending",
    }  # fmt: skip


def test_the_smallest_day_has_every_plot_and_some_who_agree() -> None:
    """A dozen customers are enough for every difference, and most of them have none about most they hold."""
    found, _ = drawn(1, 12)
    assert len(PLOTS) < len(found.persons)
    assert len(found.held) == len(PLOTS) - 1  # who does not agree to share has nothing that could be found
    assert sum(not person.consented for person in found.persons) == 1


def test_the_same_seed_draws_the_same_customers() -> None:
    """Accounts, lots and steps come from the seed alone, and no customer means nothing at all."""
    one, other = (customers(15, day=DAY, seed=7, exchange=Exchange()) for _ in range(2))
    assert (one.persons, one.steps, one.held) == (other.persons, other.steps, other.held)
    assert customers(15, day=DAY, seed=8, exchange=Exchange()).held != one.held
    assert customers(0, day=DAY, seed=7, exchange=Exchange()) == Customers()
