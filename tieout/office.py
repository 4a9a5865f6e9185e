"""What serving the company's backend needs, made once per process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from config.clock import Clock, SystemClock, clock_from
from config.settings import Gateway, Settings
from gateway.rate import Limiter
from store.engine import connect


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A database to write to, the gateways, the limiter that all processes share, and two clocks."""

    engine: Engine
    gateways: Mapping[str, Gateway]
    limiter: Limiter
    clock: Clock  #: the domain's
    wall: Clock  #: the machine's: tokens are between two machines
    deadline: timedelta  #: of a call to the Gateway
    token_lifetime: timedelta  #: of tokens handed to the company


def office_from(settings: Settings, *, database_url: str, broker_url: str, connections: int = 4) -> Office:
    """The office by these settings; nothing is connected before it is needed."""
    return Office(
        engine=connect(database_url, pool_size=connections, application="tieout-api"),
        gateways={gateway.name: gateway for gateway in settings.gateways()},
        limiter=Limiter(broker_url),
        clock=clock_from(settings.clock_file),
        wall=SystemClock(),
        deadline=timedelta(seconds=settings.call_deadline_s),
        token_lifetime=settings.token_lifetime,
    )
