"""Whether the console lives, and gauges counted in the database when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Blueprint, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from console.backend_gauges import BackendGauges
from console.completeness_gauges import completeness_gauges
from console.desk import desk
from console.holdings_gauges import HoldingsGauges
from tieout.desk import alerts
from tieout.desk.queue import QueueNow, queue_now

pages = Blueprint("health", __name__)


@pages.get("/livez")
def livez() -> dict[str, str]:
    """The process answers; it says nothing of database or broker."""
    return {"status": "ok"}


@pages.get("/metrics")
def metrics() -> Response:
    """Gauges for Prometheus, counted now."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gauges(queue_now(desk().engine, desk().watch, now=desk().now())))
    registry.register(_Alerts(alerts.counts(desk().engine)))
    registry.register(completeness_gauges(desk()))
    registry.register(BackendGauges(desk()))
    registry.register(HoldingsGauges(desk()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Gauges(Collector):
    def __init__(self, queue: QueueNow) -> None:
        self._queue = queue

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All gauges of one look."""
        queue, units = self._queue, self._queue.units
        states = {"waiting": queue.waiting, "in-flight": queue.in_flight, "scheduled": queue.scheduled}
        yield _by("tieout_events_open", "Open events", "state", states)
        yield _one("tieout_events_oldest_open_seconds", "Age of the oldest open event", queue.oldest_s or 0)
        parked = {group.reason: group.count for group in queue.parked}
        yield _by("tieout_events_parked", "Parked events", "reason", parked)
        yield from _of_pace(queue)
        yield _one("tieout_transactions_unjudged", "Transactions changed since their verdict", units.unjudged)
        yield _one("tieout_transactions_followed", "Transactions not at their end", units.followed)
        yield _one("tieout_questions_due", "Followed transactions whose question is due", units.ask_due)
        yield _one("tieout_workers_alive", "Workers heard of lately", queue.workers_alive)
        freshest = {sign.kind: sign.age_s for sign in reversed(queue.signs) if sign.kind != "canary"}
        yield _by("tieout_sign_of_life_age_seconds", "Age of the freshest sign of each part", "part", freshest)
        canaries = {canary.queue: canary.age_s for canary in queue.canaries if canary.age_s is not None}
        yield _by("tieout_canary_age_seconds", "Age of the last message through each queue", "queue", canaries)
        refused: dict[str, int] = {}
        for refusal in queue.refusals:
            refused[refusal.reason] = refused.get(refusal.reason, 0) + refusal.count
        yield _by("tieout_refusals_last_hour", "Refused requests of the last hour", "reason", refused)
        breakers = {state.gateway: int(state.breaker != "closed") for state in queue.gateways}
        yield _by("tieout_breaker_open", "1 while calls to a gateway are stopped", "gateway", breakers)
        yield _one("tieout_broker_up", "1 while the broker answers", int(queue.broker.away is None))
        waiting = {depth.queue: depth.waiting for depth in queue.broker.depths}
        yield _by("tieout_broker_waiting", "Messages waiting in the broker", "queue", waiting)


class _Alerts(Collector):
    def __init__(self, counts: dict[str, int]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        """How many of each name were raised since the service began."""
        family = CounterMetricFamily(
            "tieout_alerts", "Alerts raised, each name, gateway and subject once a day", labels=["name"]
        )
        for name, count in self._counts.items():
            family.add_metric([name], count)
        yield family


def _of_pace(queue: QueueNow) -> Iterator[GaugeMetricFamily]:
    yield _one("tieout_events_last_minutes", "Events received in the last five minutes", queue.pace.came)
    took = {"0.5": queue.pace.median_ms, "0.95": queue.pace.slow_ms}
    says = "From stored to done, of the events received in the last five minutes that are done"
    yield _by(
        "tieout_settled_within_seconds",
        says,
        "share",
        {share: ms / 1000 for share, ms in took.items() if ms is not None},
    )
    oldest = min((group.oldest_at for group in queue.parked), default=queue.as_of)
    age_s = max(0.0, (queue.as_of - oldest).total_seconds())
    yield _one("tieout_events_oldest_parked_seconds", "Age of the oldest parked event", age_s)


def _one(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=value)


def _by(name: str, says: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
