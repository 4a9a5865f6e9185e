"""The broker: how units are announced, how long its queues are, and what every Celery app shares.

A message is a hint to look. It carries ids only, may be lost or come twice, and nobody waits for
the broker longer than a few seconds. Queues are bound to no named exchange: a named one keeps its
bindings in the broker, and after a FLUSHALL its messages would vanish without an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import redis
from celery import Celery
from kombu.entity import Exchange, Queue
from kombu.exceptions import KombuError, OperationalError

from config.queues import (
    CANARY_TASK,
    HOLDINGS_QUEUE,
    HOLDINGS_TASK,
    QUEUES,
    REVIEW_TASK,
    SETTLE_QUEUE,
    SETTLE_TASK,
    SWEEP_TASK,
    UNITS_A_MESSAGE,
    UPKEEP_QUEUE,
    UPKEEP_TASK,
    task_of,
)

KEY_PREFIX: Final = "tieout:"
VISIBILITY_S: Final = 120  #: longer than the longest task, so no running task is handed out again
CONNECT_S: Final = 1.0
ANSWER_S: Final = 1.5
_RETRY: Final = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2}

ROUTES: Final = {
    SETTLE_TASK: {"queue": SETTLE_QUEUE},
    HOLDINGS_TASK: {"queue": HOLDINGS_QUEUE},
    SWEEP_TASK: {"queue": UPKEEP_QUEUE},
    REVIEW_TASK: {"queue": UPKEEP_QUEUE},
    UPKEEP_TASK: {"queue": UPKEEP_QUEUE},
    CANARY_TASK: {"queue": UPKEEP_QUEUE},
}


class BrokerAwayError(Exception):
    """The broker took no message in time. It may have it all the same; the sweep finds the rest."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages of one queue wait."""

    queue: str
    waiting: int


def shared_options() -> dict[str, object]:
    """Transport options that must be the same for all who send and all who receive."""
    return {"global_keyprefix": KEY_PREFIX, "visibility_timeout": VISIBILITY_S}


def celery_app(name: str, broker_url: str, **settings: object) -> Celery:
    """A Celery app with what senders and workers share: JSON only, no results, fixed queues."""
    app = Celery(name, broker=broker_url, set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        result_backend=None,
        task_ignore_result=True,
        enable_utc=True,
        task_queues=[Queue(q, exchange=Exchange("", type="direct"), routing_key=q) for q in QUEUES],
        task_default_queue=SETTLE_QUEUE,
        task_default_exchange="",
        task_create_missing_queues=False,
        task_routes=ROUTES,
    )
    app.conf.update(**settings)
    return app


class Sender:
    """Announces units and nothing else. Safe to share between threads."""

    def __init__(self, broker_url: str) -> None:
        """Make the sender; nothing is connected before the first message."""
        options = {
            **shared_options(),
            **_RETRY,
            "socket_timeout": ANSWER_S,
            "socket_connect_timeout": CONNECT_S,
            "socket_keepalive": True,
            "retry_on_timeout": False,
        }
        self._app = celery_app(
            "tieout.sender",
            broker_url,
            broker_transport_options=options,
            broker_connection_timeout=CONNECT_S,
            broker_connection_retry=False,
            broker_pool_limit=4,
            broker_pool_acquire_timeout=2,
            task_publish_retry=True,
            task_publish_retry_policy=_RETRY,
        )

    def announce(self, units: Sequence[str]) -> None:
        """Say that these units have work, each to the task it is for; several go in one message.

        Raises `BrokerAwayError` within seconds if the broker is down, stalled or full.
        """
        for task in (SETTLE_TASK, HOLDINGS_TASK):
            of_task = [unit for unit in units if task_of(unit) == task]
            for start in range(0, len(of_task), UNITS_A_MESSAGE):
                self.send(task, {"units": of_task[start : start + UNITS_A_MESSAGE]})

    def send(
        self,
        task: str,
        arguments: Mapping[str, object],
        *,
        queue: str | None = None,
        expires_s: float | None = None,
    ) -> None:
        """Send one message to the task of that name, by its own queue if none is named.

        Raises `BrokerAwayError`.
        """
        try:
            self._app.send_task(task, kwargs=dict(arguments), expires=expires_s, queue=queue or ROUTES[task]["queue"])
        except (OperationalError, KombuError, redis.RedisError, OSError) as error:
            raise BrokerAwayError(f"the broker took no message: {type(error).__name__}") from None

    def close(self) -> None:
        """Let go of the connections."""
        self._app.close()


def sender(broker_url: str) -> Sender:
    """A sender for the broker at that address."""
    return Sender(broker_url)


def depths(broker_url: str) -> tuple[Depth, ...]:
    """How many messages wait in each queue. Raises `BrokerAwayError` within seconds."""
    return _Counts(broker_url).depths()


def in_flight(broker_url: str) -> int:
    """How many messages workers hold and have not acknowledged. Raises `BrokerAwayError`."""
    return _Counts(broker_url).in_flight()


class _Counts:
    def __init__(self, broker_url: str) -> None:
        self._client = redis.Redis.from_url(
            broker_url, socket_timeout=ANSWER_S, socket_connect_timeout=CONNECT_S, decode_responses=True
        )

    def depths(self) -> tuple[Depth, ...]:
        try:
            with self._client:
                return tuple(Depth(queue, int(self._client.llen(KEY_PREFIX + queue))) for queue in QUEUES)
        except redis.RedisError as error:
            raise BrokerAwayError(f"the broker does not answer: {type(error).__name__}") from None

    def in_flight(self) -> int:
        try:
            with self._client:
                return int(self._client.hlen(KEY_PREFIX + "unacked"))
        except redis.RedisError as error:
            raise BrokerAwayError(f"the broker does not answer: {type(error).__name__}") from None
