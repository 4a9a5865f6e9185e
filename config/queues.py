"""Names that senders and workers share. A name, once released, is never given another meaning."""

from __future__ import annotations

from typing import Final

SETTLE_QUEUE: Final = "settle"  #: units that webhooks and the sweep announce
HOLDINGS_QUEUE: Final = "holdings"  #: accounts whose holdings are due: slow answers, apart from the orders
UPKEEP_QUEUE: Final = "upkeep"  #: periodic work

QUEUES: Final = (SETTLE_QUEUE, HOLDINGS_QUEUE, UPKEEP_QUEUE)

SETTLE_TASK: Final = "tieout.settle"  #: settle(units=["gateway:transaction_id", ...])
HOLDINGS_TASK: Final = "tieout.holdings"  #: holdings(units=["gateway:holdings:account", ...])
SWEEP_TASK: Final = "tieout.sweep"
REVIEW_TASK: Final = "tieout.review"
CANARY_TASK: Final = "tieout.canary"
UPKEEP_TASK: Final = "tieout.upkeep"

UNITS_A_MESSAGE: Final = 50

HOLDINGS_UNIT: Final = "holdings"  #: middle of a unit that names an account
FUNDS_UNIT: Final = "mf-holdings"  #: middle of a unit that names a mutual-fund webhook's event


def task_of(unit: str) -> str:
    """The task that a unit is for, told by its text."""
    return HOLDINGS_TASK if unit.split(":", 2)[1:2] in ([HOLDINGS_UNIT], [FUNDS_UNIT]) else SETTLE_TASK
