"""A cautious look at the broker: rarely, briefly, and never failing the page that asks."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.broker import KEY_PREFIX
from config.queues import QUEUES
from gateway.rate import Limiter

ANSWER_S = 1.0
KEPT_S = 3.0  #: pages within this span share one look
HELD_MAX = 500  #: messages held by workers that are told apart by queue


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    """Messages of one queue: waiting, and held by workers that have not acknowledged them."""

    queue: str
    waiting: int
    unacked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerView:
    """The broker as last seen; `away` says why there is nothing else to see."""

    away: str | None = None
    depths: tuple[QueueDepth, ...] = ()
    server: str = ""
    eviction: str | None = None  #: None: the server does not tell
    append_only: bool | None = None
    memory_bytes: int | None = None
    memory_max_bytes: int | None = None  #: 0: no limit set

    @property
    def waiting(self) -> int:
        """Messages waiting in all queues."""
        return sum(depth.waiting for depth in self.depths)

    @property
    def unacked(self) -> int:
        """Messages held by workers, of all queues."""
        return sum(depth.unacked for depth in self.depths)

    def warnings(self) -> tuple[str, ...]:
        """What about its settings endangers messages, and the fix."""
        found = []
        if self.eviction is not None and self.eviction != "noeviction":
            found.append(f"it may evict queues: set maxmemory-policy noeviction, it is {self.eviction}")
        if self.append_only is False:
            found.append("a restart forgets its messages (the sweep sends them again): set appendonly yes")
        if self.memory_max_bytes and (self.memory_bytes or 0) * 10 > self.memory_max_bytes * 7:
            found.append("it uses more than 70 % of its memory: give it more, when full it takes no message")
        return tuple(found)


class BrokerWatch:
    """Looks at the broker at most once every few seconds, whoever asks."""

    def __init__(self, url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Make the watch; nothing is connected before the first look."""
        self._url = url
        self.limiter = Limiter(url)  #: the buckets of calls lie there too
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._seen: tuple[float, BrokerView] | None = None

    def look(self) -> BrokerView:
        """The broker as seen at most some seconds ago; never raises for a broker that is away."""
        with self._lock:
            if self._seen is None or self._monotonic() - self._seen[0] > KEPT_S:
                view = _looked_at(self._url)
                self._seen = (self._monotonic(), view)
            return self._seen[1]


def _looked_at(url: str) -> BrokerView:
    client = redis.Redis.from_url(
        url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0)
    )
    try:
        with client:
            return _view(client)
    except redis.TimeoutError:
        return BrokerView(away=f"it does not answer within {ANSWER_S:.0f} s")
    except redis.RedisError as error:
        return BrokerView(away=f"it cannot be reached ({type(error).__name__})")


def _view(client: redis.Redis) -> BrokerView:
    pipe = client.pipeline(transaction=False)
    for queue in QUEUES:
        pipe.llen(KEY_PREFIX + queue)
    pipe.hlen(KEY_PREFIX + "unacked")
    pipe.info()
    *waiting, held, info = pipe.execute()
    by_queue = _held(client, held)
    return BrokerView(
        depths=tuple(
            QueueDepth(queue=queue, waiting=int(count), unacked=by_queue[queue])
            for queue, count in zip(QUEUES, waiting, strict=True)
        ),
        eviction=_text(info.get("maxmemory_policy")),
        **_of_server(info),
    )


def _of_server(info: Mapping[str, Any]) -> dict[str, Any]:
    name = _text(info.get("server_name")) or "redis"
    version = _text(info.get("valkey_version")) or _text(info.get("redis_version")) or ""
    enabled = info.get("aof_enabled")
    return {
        "server": f"{name} {version}".strip(),
        "append_only": None if enabled is None else bool(int(enabled)),
        "memory_bytes": info.get("used_memory"),
        "memory_max_bytes": info.get("maxmemory"),
    }


def _held(client: redis.Redis, held: int) -> Counter[str]:
    """Messages held, by queue; when there are very many, all of them under the first queue."""
    if held > HELD_MAX:
        return Counter({QUEUES[0]: held})
    values: Any = client.hvals(KEY_PREFIX + "unacked")
    return Counter(_queue_of(value) for value in values)


def _queue_of(value: bytes) -> str:
    """Kombu keeps [message, exchange, routing key]; our routing keys are the queues' names."""
    try:
        key = json.loads(value)[2]
    except (ValueError, LookupError, TypeError):
        return QUEUES[0]
    return key if key in QUEUES else QUEUES[0]


def _text(value: object) -> str | None:
    return value.decode() if isinstance(value, bytes) else None if value is None else str(value)
