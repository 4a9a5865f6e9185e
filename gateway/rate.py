"""How many calls a second one gateway gets from all workers together: one counter in the broker.

The counter lies in the broker's next logical database. If it is lost the limiter starts empty; while
the broker is away each process keeps to the rate by itself.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final

import redis

#: Reserves the next free place; if it lies further away than we would wait, reserves nothing.
_RESERVE: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now - ARGV[1] * ARGV[2])
local wait = math.max(0, due - now)
if wait > tonumber(ARGV[3]) then return {0, wait} end
redis.call('SET', KEYS[1], string.format('%.0f', due + ARGV[1]), 'PX', 60000)
return {1, wait}
"""
_SECOND: Final = 1_000_000  #: microseconds
_AWAY: Final = 5 * _SECOND  #: how long a broker that failed is not asked


class Limiter:
    """Places in the queue to the Gateway. One per process."""

    def __init__(self, broker_url: str) -> None:
        """Make the limiter; nothing is connected before the first call."""
        self._client = _client(broker_url)
        self._script = self._client.register_script(_RESERVE)
        self._away_until = 0
        self._alone: dict[str, int] = {}

    def reserve(self, gateway: str, *, rate_per_s: int, most: timedelta) -> tuple[bool, timedelta]:
        """Reserve a call: whether it was, and how long to wait before it, at most `most`."""
        interval, most_us = _SECOND // rate_per_s, most // timedelta(microseconds=1)
        if _now() >= self._away_until:
            try:
                granted, wait = self._script(
                    keys=[f"tieout:rate:{gateway}"], args=[interval, max(0, rate_per_s // 4), most_us]
                )
                return bool(granted), timedelta(microseconds=int(wait))
            except redis.RedisError:
                self._away_until = _now() + _AWAY
        return True, timedelta(microseconds=min(self._reserve_alone(gateway, interval), most_us))

    def _reserve_alone(self, gateway: str, interval: int) -> int:
        now = _now()
        due = max(self._alone.get(gateway, 0), now)
        self._alone[gateway] = due + 2 * interval
        return due - now


def _now() -> int:
    return time.monotonic_ns() // 1000


def _client(broker_url: str) -> redis.Redis:
    pool = redis.ConnectionPool.from_url(broker_url, socket_timeout=1, socket_connect_timeout=1)
    pool.connection_kwargs["db"] = int(pool.connection_kwargs.get("db") or 0) + 1
    return redis.Redis(connection_pool=pool)
