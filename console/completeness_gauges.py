"""Gauges of completeness and of the limits of each gateway, counted when asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from console.desk import Desk
from tieout.completeness import Completeness
from tieout.desk.gateways import GatewayNow, gateways_now


def completeness_gauges(found: Desk) -> Collector:
    """How far completeness is proven, and what is left of each limit."""
    with found.engine.connect() as connection:
        rows = found.complete(connection)
        limits = gateways_now(connection, found.limits, found.limiter, complete=rows, now=found.now(), answered=False)
        return _Gauges(rows, limits)


class _Gauges(Collector):
    def __init__(self, rows: Sequence[Completeness], limits: Sequence[GatewayNow]) -> None:
        self._rows, self._limits = rows, limits

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All gauges of one look."""
        behind = GaugeMetricFamily(
            "tieout_completeness_behind_seconds", "Domain time from the watermark to now", labels=["gateway"]
        )
        for row in self._rows:
            if row.watermark:
                behind.add_metric([row.gateway], (row.as_of - row.watermark) / timedelta(seconds=1))
        yield behind
        yield self._count("tieout_completeness_open", "Transactions not at their end", lambda row: len(row.open))
        yield self._count(
            "tieout_completeness_holding", "Transactions the watermark waits for", lambda row: row.holding
        )
        yield self._count("tieout_completeness_given_up", "Transactions followed no more", lambda row: row.given_up)
        yield self._count(
            "tieout_ends_found_by_following",
            "Transactions whose end no webhook told",
            lambda row: row.feed.found_by_following,
        )
        states = GaugeMetricFamily(
            "tieout_completeness_state", "1 for each state that holds", labels=["gateway", "state"]
        )
        for row in self._rows:
            for state in row.states:
                states.add_metric([row.gateway, state.state], 1)
        yield states
        free = GaugeMetricFamily("tieout_calls_free", "Calls that may go out at once", labels=["gateway"])
        for now in self._limits:
            if now.free is not None:
                free.add_metric([now.gateway], now.free)
        yield free

    def _count(self, name: str, says: str, count: Callable[[Completeness], int]) -> GaugeMetricFamily:
        family = GaugeMetricFamily(name, says, labels=["gateway"])
        for row in self._rows:
            family.add_metric([row.gateway], count(row))
        return family
