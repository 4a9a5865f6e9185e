"""What settling needs, made once per process, and how it writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError

from config.clock import Clock
from config.settings import Gateway
from gateway.client import GatewayClient
from gateway.rate import Limiter
from inbox.units import Pace
from tieout.holding_states import HoldingsPlan
from tieout.rules import Rules

TRIES: Final = 6
FIRST_PAUSE_S: Final = 0.25
#: Deadlock, serialisation, lock not given, server going down or coming up.
_PASSING: Final = frozenset({"40P01", "40001", "55P03", "57P01", "57P02", "57P03"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """What settling needs: made once per process."""

    engine: Engine
    at_once: Engine  #: the same, each statement committed by itself
    gateways: Mapping[str, Gateway]
    client: Callable[[str], GatewayClient]
    limiter: Limiter
    clock: Clock
    rules: Rules
    pace: Pace
    patience: timedelta  #: no new unit is begun later in a message
    stopping: Callable[[], bool]  #: no new unit is begun once this is true
    worker: str
    holdings: HoldingsPlan = field(default_factory=HoldingsPlan)
    holdings_patience: timedelta = timedelta(seconds=1)  #: no new account is begun later in a message


def repeat(begin: Callable[[], AbstractContextManager[Connection]], write: Callable[[Connection], T]) -> T:
    """Write in one transaction of `begin`; again, for some seconds, if the database went away.

    Only for what may be written twice, or whose fence tells that it was.
    """
    for tried in range(1, TRIES):
        try:
            with begin() as connection:
                return write(connection)
        except DBAPIError as error:
            if not is_passing(error):
                raise
            time.sleep(FIRST_PAUSE_S * 2**tried)
    with begin() as connection:
        return write(connection)


def is_passing(error: DBAPIError) -> bool:
    """A lost connection, a deadlock, a lock that was not given: the same may succeed a moment later."""
    state = getattr(error.orig, "sqlstate", None)
    unreachable = isinstance(error, OperationalError) and state is None
    return error.connection_invalidated or unreachable or state in _PASSING
