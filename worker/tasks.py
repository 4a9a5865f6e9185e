"""The tasks: each loads what its process holds and makes one call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from celery import Celery

from config.broker import BrokerAwayError
from config.queues import CANARY_TASK, HOLDINGS_TASK, REVIEW_TASK, SETTLE_TASK, SWEEP_TASK, UPKEEP_TASK
from tieout import upkeep
from tieout.holdings import settle_holdings
from tieout.holdings_recon import reconcile_holdings
from tieout.review import review_due
from tieout.settle import settle as settle_units
from tieout.sweep import sweep as sweep_once
from worker.process import current

REVIEWS: Final = 500  #: transactions judged again by one message


def settle(*, units: Sequence[str], **_: object) -> None:
    """Settle the units of one message; what it had no time for is announced again."""
    own = current()
    left = settle_units(own.shop, units)
    with suppress(BrokerAwayError):
        own.sender.announce(left)


def holdings(*, units: Sequence[str], **_: object) -> None:
    """Settle the accounts and mutual-fund webhooks of one message; the rest is announced again."""
    own = current()
    left = settle_holdings(own.shop, units)
    with suppress(BrokerAwayError):
        own.sender.announce(left)


def sweep(**_: object) -> None:
    """Sweep, unless this period's sweep was done."""
    own = current()
    if upkeep.first_in(own.shop.engine, "sweep", own.sweep_every):
        sweep_once(own.sweeping, now=own.shop.clock.now())


def review(**_: object) -> None:
    """Judge again what was judged at an older revision, or what time alone may have changed."""
    own = current()
    if upkeep.first_in(own.shop.engine, "review", own.sweep_every):
        now, rules = own.shop.clock.now(), own.shop.rules
        review_due(own.shop.engine, now=now, rules=rules, limit=REVIEWS)
        reconcile_holdings(own.shop.engine, now=now, rules=rules, limit=REVIEWS)


def keep_house(**_: object) -> None:
    """Keep house, once an hour."""
    upkeep.keep_house(current().shop.engine)


def canary(*, queue: str, sent_at: str, **_: object) -> None:
    """Show that messages of that queue are carried out."""
    upkeep.canary(current().shop.engine, queue=queue, sent_at=datetime.fromisoformat(sent_at))


TASKS: Final[dict[str, Callable[..., None]]] = {
    SETTLE_TASK: settle,
    HOLDINGS_TASK: holdings,
    SWEEP_TASK: sweep,
    REVIEW_TASK: review,
    UPKEEP_TASK: keep_house,
    CANARY_TASK: canary,
}


def register(app: Celery) -> None:
    """Make each of them a task of the app, under the name that senders use."""
    for name, task in TASKS.items():
        app.task(task, name=name)
