"""What every page needs, held by the app and handed to the views."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from flask import current_app
from sqlalchemy import Connection, Engine

from config.calendar import IST
from config.clock import Clock, FileClock
from config.settings import Gateway
from gateway.rate import Limiter
from tieout.completeness import Completeness
from tieout.desk.breaks import Severity
from tieout.desk.broker import BrokerWatch
from tieout.desk.completeness import completeness
from tieout.desk.severity import severity_as_of
from tieout.holding_states import HoldingsPlan
from tieout.rules import Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The data, the broker's watch, the clock, the rules, and which gateways are configured."""

    engine: Engine
    watch: BrokerWatch
    clock: Clock
    rules: Rules
    simulated: bool
    looking_back: bool = False  #: at a day that is over: that nothing runs is no fault
    gateways: tuple[tuple[str, str], ...] = field(default=())  #: (name, book) as configured
    limits: tuple[Gateway, ...] = field(default=(), repr=False)
    silence: timedelta = timedelta(hours=2)  #: session time without a word after which the feed is silent
    holdings: HoldingsPlan = field(default_factory=HoldingsPlan)

    def now(self) -> datetime:
        """The domain's instant."""
        return self.clock.now()

    def today(self) -> date:
        """The IST date of the domain's clock."""
        return self.now().astimezone(IST).date()

    def severity(self) -> Severity:
        """How severe a finding is as of now."""
        return severity_as_of(self.now(), self.rules.calendar)

    def complete(self, connection: Connection) -> list[Completeness]:
        """How far completeness is proven, gateway by gateway as configured."""
        names, calendar = [name for name, _ in self.gateways], self.rules.calendar
        return completeness(connection, names, now=self.now(), calendar=calendar, silence=self.silence)

    @property
    def limiter(self) -> Limiter:
        """The buckets of calls, as they stand in the broker."""
        return self.watch.limiter

    @property
    def simulated_clock(self) -> bool:
        """Whether time is moved by the simulator."""
        return isinstance(self.clock, FileClock)

    @property
    def environment(self) -> str:
        """What kind of traffic this service sees, for the badge on every page."""
        if self.simulated:
            return "simulated"
        return "live" if any(book == "live" for _, book in self.gateways) else "test"


def desk() -> Desk:
    """The desk of the app that handles this request."""
    found: Desk = current_app.extensions["desk"]
    return found
