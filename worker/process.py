"""What one pool process holds: its own connections, made after the fork, never before."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from multiprocessing import Event
from typing import Any, Final

from sqlalchemy import Engine

from config.broker import Sender, depths, sender
from config.clock import clock_from
from config.queues import SETTLE_QUEUE
from config.settings import Settings, SettingsError
from gateway.client import GatewayClient
from gateway.rate import Limiter, is_limited
from inbox.units import Pace
from store.engine import connect
from tieout.holding_states import TO_WRITE_S, plan_from
from tieout.rules import rules_from
from tieout.shop import Shop
from tieout.sweep import Sweeping

LEAST_PATIENCE: Final = timedelta(seconds=1)  #: a message is never given back whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The connections of one process, and what its tasks need of the settings."""

    shop: Shop
    sender: Sender
    sweeping: Sweeping
    sweep_every: timedelta

    @property
    def limited(self) -> bool:
        """Whether any gateway has a limit, so that what is due goes out bit by bit."""
        return any(is_limited(gateway) for gateway in self.shop.gateways.values())


_held: list[Process] = []
_stopping = Event()  #: made before the fork, so that the main process can tell its pool


def begin(settings: Settings) -> None:
    """Make this process's connections."""
    _held[:] = [open_process(settings)]


def end() -> None:
    """Let go of this process's connections."""
    while _held:
        held = _held.pop()
        held.sender.close()
        held.shop.engine.dispose()


def stop_all() -> None:
    """Tell every process of this worker's pool to begin no new unit."""
    _stopping.set()


def current() -> Process:
    """What this process holds. Raises RuntimeError outside a worker's pool."""
    if not _held:
        raise RuntimeError("this is no pool process of a worker: nothing was made for it")
    return _held[0]


def open_process(settings: Settings, *, pool_size: int = 2) -> Process:
    """Connections by these settings; nothing is connected before it is needed."""
    database_url, broker_url = _urls(settings)
    engine = connect(database_url, pool_size=pool_size, application="tieout worker", ping=False)
    announcing, shop = sender(broker_url), _shop(settings, engine, broker_url)
    return Process(
        shop=shop,
        sender=announcing,
        sweeping=Sweeping(
            engine=engine,
            sender=announcing,
            waiting=lambda: sum(d.waiting for d in depths(broker_url) if d.queue == SETTLE_QUEUE),
            queue_pause=settings.queue_pause,
            first=timedelta(seconds=settings.first_announce_s),
            gateways=shop.gateways,
            limiter=shop.limiter,
        ),
        sweep_every=timedelta(seconds=settings.sweep_s),
    )


def _shop(settings: Settings, engine: Engine, broker_url: str) -> Shop:
    gateways = {gateway.name: gateway for gateway in settings.gateways()}
    deadline, limiter = timedelta(seconds=settings.call_deadline_s), Limiter(broker_url)

    @lru_cache
    def client(name: str) -> GatewayClient:
        return GatewayClient(gateways[name], deadline=deadline, limiter=limiter)

    return Shop(
        engine=engine,
        at_once=engine.execution_options(isolation_level="AUTOCOMMIT"),
        gateways=gateways,
        client=client,
        limiter=limiter,
        clock=clock_from(settings.clock_file),
        rules=rules_from(settings),
        pace=Pace(lease=timedelta(seconds=settings.lease_s), pause=timedelta(seconds=settings.ask_pause_s)),
        patience=max(LEAST_PATIENCE, timedelta(seconds=settings.task_limit_s) - 2 * deadline),
        stopping=_stopping.is_set,
        worker=worker_name(),
        **_holdings(settings),
    )


def _holdings(settings: Settings) -> dict[str, Any]:
    """What the settings say of fetching holdings; their calls may take longer than others."""
    plan, writing = plan_from(settings), timedelta(seconds=TO_WRITE_S)
    patience = timedelta(seconds=settings.task_limit_s) - plan.deadline - writing
    return {"holdings": plan, "holdings_patience": max(LEAST_PATIENCE, patience)}


def worker_name() -> str:
    """Machine and process, as attempts and signs of life name it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _urls(settings: Settings) -> tuple[str, str]:
    if settings.database_url is None or settings.broker_url is None:
        raise SettingsError("TIEOUT_DATABASE_URL and TIEOUT_BROKER_URL are not set")
    return settings.database_url.get_secret_value(), settings.broker_url.get_secret_value()
