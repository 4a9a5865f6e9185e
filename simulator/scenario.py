"""The scenario file: who there is, what they do when, what goes wrong. TOML or JSON, checked whole at the start."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

from simulator.act import Act, read_act
from simulator.asked import INTENTS, OF_SMALLCASES
from simulator.cast import read_person, share_in
from simulator.day import Day
from simulator.exchange import HOLIDAYS, Exchange
from simulator.faults import Fault, read_fault
from simulator.ledger import Action, Bonus, Split
from simulator.people import Person
from simulator.shapes import ANY, BATCHES, ERRORS, NESTINGS
from simulator.shares import SMALLCASES
from simulator.table import BadTableError, Table

DEFAULT_DATE = date(2026, 11, 18)  #: a Wednesday; the exchange trades on the two days after it
MOST_DAYS = 40


class BadScenarioError(ValueError):
    """The file and what is wrong in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Somebody makes a transaction at an instant and does something with it."""

    at: datetime
    person: str
    intent: str = "TRANSACTION"
    buy: dict[str, int] = field(default_factory=dict)
    sell: dict[str, int] = field(default_factory=dict)
    kind: str = ""  #: type of an order of a smallcase
    smallcase: str = ""
    symbol: str = ""  #: what a cancellation cancels
    name: str = ""  #: what other steps call it
    of: str = ""  #: the step it cancels, repairs or archives
    guest: bool = False
    version: str = "v1"
    notes: str = ""
    begins_after_s: float = 20.0
    booked: bool = True
    finds: Sequence[str] = ()  #: what is to be found, as `name` or `name:SYMBOL`
    act: Act = field(default_factory=Act)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A webhook of any content, signed over one of its ids."""

    at: datetime
    person: str
    transaction_id: str
    content: dict[str, object]
    signs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """Both secrets are replaced; the old ones are taken until later."""

    at: datetime
    old_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """All that is played."""

    title: str = "The Gateway's stand-in"
    story: str = "It plays one trading day. Nothing here is real."
    day: Day = field(default_factory=lambda: Day(DEFAULT_DATE))
    until: date = DEFAULT_DATE
    seed: int = 1
    transactions: int = 0
    withhold: float = 0.0
    people: int = 0
    customers: int = 0  #: of a drawn day, who import their holdings; then the books keep positions of nobody else
    habits: bool = False
    letters: Sequence[Sent] = ()
    scheduled: bool = False
    exchange: Exchange = field(default_factory=Exchange)
    actions: Sequence[Action] = ()
    persons: Sequence[Person] = ()
    steps: Sequence[Step] = ()
    faults: Sequence[Fault] = ()
    rotations: Sequence[Rotation] = ()
    refuse_above: int = 0
    nesting: str = NESTINGS[0]
    batches: str = BATCHES[0]
    errors: str = ERRORS[0]
    epoch: bool = False
    skew: timedelta = timedelta(0)

    @property
    def days(self) -> list[Day]:
        """The sessions that are played, first to last."""
        span = range((self.until - self.day.trade_date).days + 1)
        dates = [self.day.trade_date + timedelta(days=each) for each in span]
        return [Day(each) for each in dates if self.exchange.is_session(each)]


def read_scenario(path: Path) -> Scenario:
    """The scenario in that file. Raises `BadScenarioError`."""
    try:
        text = path.read_text(encoding="utf-8")
        value = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return scenario_from(value)
    except OSError as error:
        raise BadScenarioError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:  # of TOML, of JSON and ours alike
        raise BadScenarioError(f"{path}: {error}") from None


def scenario_from(value: object) -> Scenario:
    """The scenario that a document describes. Raises `BadTableError`."""
    top = Table(value, "")
    first = top.day("date", DEFAULT_DATE)
    exchange = Exchange(_holidays(top))
    day, until = _days(top, first, exchange)
    persons = [read_person(table, day) for table in top.tables("person")]
    steps = [_step(table, first) for table in top.tables("step")]
    _check_steps(steps, persons)
    gateway = top.table("gateway") or Table({}, "[gateway]")
    drawn = top.table("day") or Table({}, "[day]")
    scenario = Scenario(
        title=top.text("title"),
        story=top.text("story"),
        day=day,
        until=until,
        seed=top.whole("seed", 1),
        transactions=drawn.whole("transactions", 0),
        withhold=drawn.number("withhold", 0.0, most=1.0),
        people=drawn.whole("people", 0),
        habits=drawn.flag("habits", otherwise=False),
        letters=[_letter(table, first, persons) for table in top.tables("webhook")],
        scheduled=gateway.text("retries", "schedule", among=("schedule", "at-once")) == "schedule",
        exchange=exchange,
        actions=[_split(t) for t in top.tables("split")] + [_bonus(t) for t in top.tables("bonus")],
        persons=persons,
        steps=steps,
        faults=[_fault(table, first) for table in top.tables("fault")],
        rotations=[_rotation(table, first) for table in top.tables("rotation")],
        refuse_above=gateway.whole("refuse_above", 0),
        nesting=gateway.text("nesting", NESTINGS[0], among=(*NESTINGS, ANY)),
        batches=gateway.text("batches", BATCHES[0], among=(*BATCHES, ANY)),
        errors=gateway.text("errors", ERRORS[0], among=(*ERRORS, ANY)),
        epoch=gateway.text("timestamps", "iso", among=("iso", "epoch")) == "epoch",
        skew=timedelta(seconds=gateway.number("ahead_s", 0.0, most=86_400.0)),
    )
    for table in (top, gateway, drawn):
        table.end()
    return scenario


def _holidays(top: Table) -> frozenset[date]:
    named = top.texts("holidays")
    try:
        return HOLIDAYS | {date.fromisoformat(each) for each in named}
    except ValueError:
        raise top.wrong("holidays", named, 'a list of dates, as ["2026-11-20"]') from None


def _days(top: Table, first: date, exchange: Exchange) -> tuple[Day, date]:
    until = top.day("until", first)
    if not exchange.is_session(first):
        raise BadTableError(f"`date`: the exchange is closed on {first}")
    if not first <= until <= first + timedelta(days=MOST_DAYS):
        raise BadTableError(f"`until` is a date from {first} to {MOST_DAYS} days later, not {until}")
    return Day(first), until


def _step(table: Table, on: date) -> Step:
    step = Step(
        at=table.instant("at", on),
        person=table.text("person"),
        intent=table.text("intent", "TRANSACTION", among=sorted(INTENTS)),
        buy=_basket(table, "buy"),
        sell=_basket(table, "sell"),
        kind=table.text("kind", "", among=("", *OF_SMALLCASES)),
        smallcase=table.text("smallcase", "", among=("", *SMALLCASES)),
        symbol=table.text("symbol", ""),
        name=table.text("name", ""),
        of=table.text("of", ""),
        guest=table.flag("guest", otherwise=False),
        version=table.text("version", "v1", among=("v1", "v2")),
        notes=table.text("notes", ""),
        begins_after_s=table.number("begins_after_s", 20.0),
        booked=table.flag("booked", otherwise=True),
        finds=table.texts("finds"),
        act=read_act(table),
    )
    table.end()
    ordered = bool(step.buy or step.sell or step.kind)
    if (step.intent == "TRANSACTION") != ordered:
        raise BadTableError(f"{table.where}: a TRANSACTION, and no other intent, has `buy`, `sell` or `kind`")
    if step.kind and not (step.smallcase or step.of):
        raise BadTableError(f"{table.where}: `kind` needs `smallcase`, or `of`, the step that bought it")
    if step.intent.startswith("CANCEL") and not (step.of and step.symbol):
        raise BadTableError(f"{table.where}: a cancellation needs `of`, the step, and `symbol`, the leg")
    return step


def _basket(table: Table, key: str) -> dict[str, int]:
    counts = table.counts(key)
    for symbol in counts:
        share_in(table, key, symbol)
    return counts


def _check_steps(steps: Sequence[Step], persons: Sequence[Person]) -> None:
    names = {person.name for person in persons}
    if len(names) < len(persons):
        raise BadTableError("two persons have the same name")
    before: set[str] = set()
    for place, step in enumerate(steps, start=1):
        if step.person not in names:
            raise BadTableError(f"step {place}: no [[person]] is called {step.person!r}")
        if step.of and step.of not in before:
            raise BadTableError(f"step {place}: no step before it has the name {step.of!r}")
        before.add(step.name)


def _split(table: Table) -> Split:
    share = share_in(table, "symbol", table.text("symbol"))
    ex_date, into = table.day("ex_date"), table.whole("into", least=2)
    split = Split(symbol=share.symbol, ex_date=ex_date, into=into, new_isin=table.text("new_isin"))
    table.end()
    return split


def _bonus(table: Table) -> Bonus:
    bonus = Bonus(
        symbol=share_in(table, "symbol", table.text("symbol")).symbol,
        ex_date=table.day("ex_date"),
        give=table.whole("give", least=1),
        per=table.whole("per", least=1),
        temporary_isin=table.text("temporary_isin"),
        credited_on=table.day("credited_on"),
        listed_on=table.day("listed_on"),
    )
    table.end()
    if not bonus.ex_date < bonus.credited_on < bonus.listed_on:
        raise BadTableError(f"{table.where}: `ex_date` comes before `credited_on`, and that before `listed_on`")
    return bonus


def _fault(table: Table, on: date) -> Fault:
    fault = read_fault(table, on)
    table.end()
    return fault


def _rotation(table: Table, on: date) -> Rotation:
    rotation = Rotation(at=table.instant("at", on), old_until=table.instant("old_until", on))
    table.end()
    return rotation


def _letter(table: Table, on: date, persons: Sequence[Person]) -> Sent:
    sent = Sent(
        at=table.instant("at", on),
        person=table.text("person", among=[person.name for person in persons]),
        transaction_id=table.text("transaction_id", f"TRX_{0:032x}"),
        content=table.content("body"),
        signs=table.text("signs", "smallcaseAuthId", among=("smallcaseAuthId", "transactionId")),
    )
    table.end()
    return sent
