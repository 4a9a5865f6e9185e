"""What stands in the way of the queue right now: in words, with what to do, the worst first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from store.desk_queue import GatewayState
from tieout.desk.queue import QueueNow

OURS: Final = "ours"  #: the breaker's reason when the Gateway refuses our keys or address


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that keeps work from going on; `passes` is true when it ends by itself."""

    name: str
    says: str
    todo: str
    passes: bool = False
    until: datetime | None = None


def troubles(queue: QueueNow) -> tuple[Trouble, ...]:
    """Everything that somebody on duty should see first; empty when work goes on."""
    return (*_of_workers(queue), *_of_broker(queue), *_of_gateways(queue), *_of_canaries(queue), *_of_depths(queue))


def _of_workers(queue: QueueNow) -> Iterator[Trouble]:
    if not queue.workers_alive:
        yield Trouble(
            name="no-worker",
            says="No worker is alive: webhooks are stored but not settled",
            todo="start one: tieout up, or the worker of your Procfile",
        )
    elif queue.sweep is None or queue.silent(queue.sweep):
        yield Trouble(
            name="no-sweep",
            says="Workers live, but nobody sweeps: work that was not announced is not found",
            todo="look at a worker's log for worker.life-failed",
        )


def _of_broker(queue: QueueNow) -> Iterator[Trouble]:
    if queue.broker.away:
        yield Trouble(
            name="broker-away",
            says=f"The broker is away: {queue.broker.away}; webhooks are still taken and stored, nothing is lost",
            todo="start it; the sweep then finds what is due",
        )


def _of_gateways(queue: QueueNow) -> Iterator[Trouble]:
    for state in queue.stopped:
        ours = state.reason == OURS
        yield Trouble(
            name="gateway-stopped",
            says=f"Calls to {state.gateway} are stopped, {_why(state)}; {queue.units.held:,} transactions wait",
            todo="tieout doctor --gateway, then set the right keys" if ours else "nothing: it is tried again by itself",
            passes=not ours,
            until=state.blocked_until if state.blocked else None,
        )


def _why(state: GatewayState) -> str:
    if state.reason == OURS:
        return "it refuses our keys or our address"
    return state.reason or "it asked to be left alone"


def _of_canaries(queue: QueueNow) -> Iterator[Trouble]:
    waiting = {depth.queue for depth in queue.broker.depths if depth.waiting}
    late = [canary.queue for canary in queue.canaries if canary.late and canary.queue in waiting]
    if late and queue.workers_alive:
        yield Trouble(
            name="queue-stands",
            says=f"Messages wait and none comes through: {', '.join(late)}",
            todo="restart the workers: they live but take nothing",
        )


def _of_depths(queue: QueueNow) -> Iterator[Trouble]:
    for said in queue.depths.disagreements:
        yield Trouble(
            name="depths",
            says=f"The depths disagree: {said}",
            todo="nothing, unless it lasts; then look at a worker's log",
            passes=True,
        )
