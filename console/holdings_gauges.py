"""How many accounts' holdings are in each state, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from console.desk import Desk
from tieout.desk.holdings import StateCount, counts
from tieout.holding_states import closed_before


class HoldingsGauges(Collector):
    """One look at the states of all accounts."""

    def __init__(self, desk: Desk) -> None:
        """Look now."""
        closed = closed_before(desk.rules.calendar, desk.now(), desk.holdings)
        self._counts: Sequence[StateCount] = counts(desk.engine, gateway=None, closed=closed)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauge, by book and state."""
        family = GaugeMetricFamily(
            "tieout_holdings_accounts", "Accounts by the state of their holdings", labels=["book", "state"]
        )
        for each in self._counts:
            family.add_metric([each.book, each.state], each.count)
        yield family
