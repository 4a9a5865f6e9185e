"""All parts of the simulator, put together from a scenario."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from simulator.access import Access
from simulator.api import Api
from simulator.clock import MovingClock
from simulator.company import instruments_csv, orders_csv, orders_xlsx, replace_file, transactions_csv
from simulator.control import Control, Title
from simulator.customers import Customers, customers
from simulator.day import Day, instant_text
from simulator.doings import Doings
from simulator.exchange import date_in_india
from simulator.faults import Faults
from simulator.gate import Gate
from simulator.habits import Habits
from simulator.journal import Journal
from simulator.keyring import Keyring
from simulator.ledger import Split
from simulator.plan import Finding, Plan, plan_day
from simulator.player import Player, Stamp, steps_of
from simulator.positions import actions_csv, positions_csv
from simulator.poster import Poster
from simulator.scenario import BadScenarioError, Rotation, Scenario
from simulator.shapes import Shapes
from simulator.signing import Secrets
from simulator.stage import Stage
from simulator.timeline import Timeline
from simulator.world import world_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where it runs: its files, its clock, whom it posts to, its secrets now and after a rotation."""

    home: Path
    clock: Path
    webhook_url: str
    gateway: str
    secrets: Secrets
    next_secrets: Secrets | None = None


@dataclass(slots=True, kw_only=True)
class Files:
    """What the company would import, written at each hold."""

    plan: Plan
    stage: Stage
    clock: MovingClock
    home: Path
    days: Sequence[Day]
    held: Sequence[Finding] | None = None  #: what is to be found of holdings, if anybody says

    def begin(self, day: Day) -> None:
        """The files of the start."""
        self.home.mkdir(parents=True, exist_ok=True)
        replace_file(self.home / "instruments.csv", instruments_csv(day, self._new_isins()))
        replace_file(self.home / "truth.json", self.truth())

    def _new_isins(self) -> dict[str, tuple[date, str]]:
        actions = self.stage.doings.world.actions
        return {each.symbol: (each.ex_date, each.new_isin) for each in actions if isinstance(each, Split)}

    def hold(self, step: str) -> None:
        """The files of a hold: what was created, in the evening the books and what is held as well."""
        now = self.clock.instant
        made = self.plan.registrations(now) + self.stage.registrations(now)
        replace_file(self.home / "transactions.csv", transactions_csv(made))
        replace_file(self.home / "truth.json", self.truth())
        if step == "evening":
            lines = [*self.plan.lines, *self.stage.lines(now)]
            replace_file(self.home / "orders.csv", orders_csv(lines))
            replace_file(self.home / "orders.xlsx", orders_xlsx(lines, self.plan.day))
            world = self.stage.doings.world
            replace_file(self.home / "positions.csv", positions_csv(world, now))
            replace_file(self.home / "corporate-actions.csv", actions_csv(world.actions))

    def truth(self) -> bytes:
        """What was planted so far."""
        now = self.clock.instant
        today = date_in_india(now)
        on = max((day.trade_date for day in self.days if day.trade_date <= today), default=self.plan.day.trade_date)
        posts = [post for story in self.stage.doings.made for post in story.posts]
        return self.plan.truth_json(self.stage.findings(now), posts=posts, on=on, held=self.held)


def assembled(scenario: Scenario, place: Place) -> tuple[Control, Player]:
    """All parts: the clock set first of all, then the files of the start. Raises `ValueError` for a bad address."""
    clock = MovingClock(place.clock, scenario.day.start)
    plan = plan_day(
        scenario.day,
        seed=scenario.seed,
        transactions=scenario.transactions,
        gateway=place.gateway,
        withheld=scenario.withhold,
    )
    doings = _doings(scenario, plan)
    drawn = _customers(scenario, doings)
    place.home.mkdir(parents=True, exist_ok=True)
    journal, keyring = Journal(place.home / "log.jsonl"), Keyring(place.secrets)
    stage = Stage(doings=doings, told=lambda words: journal.step(not_done=words))
    held = drawn.held if scenario.customers else None
    files = Files(plan=plan, stage=stage, clock=clock, home=place.home, days=scenario.days, held=held)
    files.begin(scenario.day)
    stage.set([*scenario.steps, *drawn.steps])
    stage.send(scenario.letters)
    _set_rotations(scenario, doings.timeline, keyring, place.next_secrets, journal)
    api = _api(scenario, plan, doings, clock=clock, journal=journal, keyring=keyring)
    api.habits = Habits(doings) if scenario.habits else None
    player = Player(
        doings.timeline,
        steps_of(scenario.days),
        poster=Poster(place.webhook_url),
        clock=clock,
        journal=journal,
        stamp=Stamp(keyring=keyring, skew=scenario.skew, epoch=scenario.epoch),
        at_hold=files.hold,
        scheduled=scenario.scheduled,
    )
    title = Title(title=scenario.title, story=scenario.story)
    control = Control(
        api=api, player=player, clock=clock, journal=journal, home=place.home, truth=files.truth, title=title
    )
    return control, player


def _doings(scenario: Scenario, plan: Plan) -> Doings:
    world = world_of(plan, more_people=scenario.people)
    world.exchange, world.actions = scenario.exchange, scenario.actions
    for person in scenario.persons:
        world.people.add(person)
    return Doings(
        gateway=plan.gateway, seed=plan.seed, world=world, timeline=Timeline(plan.posts), stories={}
    )  # fmt: skip


def _customers(scenario: Scenario, doings: Doings) -> Customers:
    """The customers of a drawn day, known from now on; of nobody else the books then keep positions."""
    world = doings.world
    drawn = customers(scenario.customers, day=scenario.day, seed=scenario.seed, exchange=world.exchange)
    if drawn.persons:
        world.actions = [*world.actions, *drawn.actions]
        for person in world.people:
            person.kept = None
        for person in drawn.persons:
            world.people.add(person)
    return drawn


def _api(
    scenario: Scenario, plan: Plan, doings: Doings, *, clock: MovingClock, journal: Journal, keyring: Keyring
) -> Api:
    return Api(
        plan.stories,
        gateway=plan.gateway,
        clock=clock,
        access=Access(keyring, since=plan.day.start),
        journal=journal,
        gate=Gate(most=scenario.refuse_above),
        doings=doings,
        faults=Faults(scenario.seed, scenario.faults),
        shapes=Shapes(
            seed=scenario.seed, nesting=scenario.nesting, batches=scenario.batches, errors=scenario.errors
        ),
        skew=scenario.skew,
    )  # fmt: skip


def _set_rotations(
    scenario: Scenario, timeline: Timeline, keyring: Keyring, secrets: Secrets | None, journal: Journal
) -> None:
    """Let the secrets be replaced when the scenario says so, once. Raises `BadScenarioError`."""
    if not scenario.rotations:
        return
    if secrets is None or len(scenario.rotations) > 1:
        raise BadScenarioError("one [[rotation]] at most, and its secrets in SIMULATOR_NEXT_JWT_SECRET and _API_SECRET")
    (rotation,) = scenario.rotations
    timeline.add(rotation.at, _rotating(rotation, keyring, secrets, journal))


def _rotating(rotation: Rotation, keyring: Keyring, secrets: Secrets, journal: Journal) -> Callable[[], None]:
    def rotate() -> None:
        keyring.rotate(secrets, old_until=rotation.old_until)
        journal.step(rotated=True, instant=instant_text(rotation.at), old_until=instant_text(rotation.old_until))

    return rotate
