"""How many calls a second one gateway gets from all processes together: one bucket in the broker.

A call takes a token before it goes out, and the token comes back one second after the call has ended.
So whenever the far side counts, by its own clock and however long calls were under way, it sees at
most the limit in any sliding second: each call that it counts is one whose token is still out.

The bucket lies in the broker's next logical database. One that lost its memory starts empty: for a
second nothing goes out, and then, for ten more, less by as many as may still be under way from before.
Nobody waits here: who gets no token is told when to come again.

Orders go first, and what is patient has a share that they cannot take: see `ONE_IN`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import uuid4

import redis
from redis.backoff import NoBackoff
from redis.connection import AbstractConnection
from redis.retry import Retry

from config.settings import Gateway

UNLIMITED: Final = 1000  #: calls a second from which on nothing is limited: only a simulator is asked so often
HOLD: Final = timedelta(seconds=30)  #: a token of a process that died comes back after so long; longer than a call
BEFORE: Final = timedelta(seconds=11)  #: how long calls from before a loss of memory may still be under way
AGAIN: Final = timedelta(seconds=1)  #: when to come again while the broker is away
LEAST: Final = timedelta(milliseconds=20)
_AWAY_US: Final = 2_000_000  #: how long a broker that failed is not asked
_US: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000
_SLACK: Final = 20_000  #: two clocks may run at slightly different speeds

#: Among orders that press, one call in so many is for what is slow and can wait: holdings.
ONE_IN: Final = 8
MOST_OWED: Final = 2  #: calls that they may have saved up: those of one account
ORDER: Final = -1  #: pays nothing: a call that earns for those that pay
_STANDS_US: Final = 500_000  #: how long a place is kept for one that was told to come again; it comes sooner

#: KEYS: under way, cooling, born, blocked, share. ARGV: token, rate, at once, hold, run id, second, before, price,
#: most that is owed, how long one stands. Each order's call adds one to what is owed to the patient, and theirs
#: are paid from it while orders press. One that has enough and finds no token has the next one kept for it.
_TAKE: Final = """
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local rate, once, hold, second = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[6])
if redis.call('GET', KEYS[3]) ~= ARGV[5] then
  redis.call('DEL', KEYS[1], KEYS[2])
  for n = 1, rate do
    redis.call('ZADD', KEYS[2], now + (n <= once and tonumber(ARGV[7]) or second), 'before:' .. n)
  end
  redis.call('SET', KEYS[3], ARGV[5])
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local blocked = tonumber(redis.call('GET', KEYS[4]) or '0')
if blocked > now then return {0, blocked - now, 0} end
local flying, cooling = redis.call('ZCARD', KEYS[1]), redis.call('ZCARD', KEYS[2])
local free, price = math.min(once - flying, rate - flying - cooling), tonumber(ARGV[8])
local said = redis.call('HMGET', KEYS[5], 'owed', 'stands', 'pressed')
local owed, stands = tonumber(said[1] or '0'), tonumber(said[2] or '0') > now
local pressed, soon = tonumber(said[3] or '0') > now, 0
if ARGV[1] == '' then
  if price > 0 then redis.call('HSET', KEYS[5], 'pressed', now + second) end
  return {math.max(0, free), 0, 0}
elseif price < 0 then
  if free > (stands and 1 or 0) then
    redis.call('ZADD', KEYS[1], now + hold, ARGV[1])
    redis.call('HSET', KEYS[5], 'owed', math.min(owed + 1, tonumber(ARGV[9])))
    return {1, 0, 0}
  end
  redis.call('HSET', KEYS[5], 'pressed', now + second)
elseif owed >= price or not pressed then
  if free > 0 then
    redis.call('ZADD', KEYS[1], now + hold, ARGV[1])
    redis.call('HSET', KEYS[5], 'owed', math.max(0, owed - price), 'stands', 0)
    return {1, 0, 0}
  end
  redis.call('HSET', KEYS[5], 'stands', now + tonumber(ARGV[10]))
  soon = 1
end
local next = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
if flying >= once or free > 0 or #next == 0 then return {0, second / 10, soon} end
return {0, next[2] - now, soon}
"""
_GIVE_BACK: Final = """
local t = redis.call('TIME')
redis.call('ZREM', KEYS[1], ARGV[1])
if ARGV[2] ~= '0' then redis.call('ZADD', KEYS[2], t[1] * 1000000 + t[2] + ARGV[2], ARGV[1]) end
"""
_BLOCK: Final = """
local t = redis.call('TIME')
local till = t[1] * 1000000 + t[2] + ARGV[1]
if till > tonumber(redis.call('GET', KEYS[1]) or '0') then
  redis.call('SET', KEYS[1], string.format('%.0f', till), 'PX', math.ceil(ARGV[1] / 1000) + 1000)
end
"""


class NoTurnError(Exception):
    """No call may go out just now; `wait` says when to come again. It is nobody's failure.

    `soon`: the next one may, so that it is worth standing at the door.
    """

    def __init__(self, wait: timedelta, *, soon: bool = False) -> None:
        """Say how long to wait, at least a little."""
        super().__init__(f"no call may go out for {max(wait, LEAST) // timedelta(milliseconds=1)} ms")
        self.wait, self.soon = max(wait, LEAST), soon


@dataclass(frozen=True, slots=True)
class Turn:
    """The right to make one call, to be given back when it has ended."""

    gateway: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """How a gateway's bucket stands."""

    free: int  #: calls that may go out at once
    blocked: timedelta  #: the far side asked to be left alone for that long


class Limiter:
    """The buckets of all gateways. One per process; safe to share between threads."""

    def __init__(self, broker_url: str) -> None:
        """Make the limiter; nothing is connected before the first call."""
        self._run_id = ""
        self._client = _client(broker_url, self._met)
        self._take = self._client.register_script(_TAKE)
        self._give_back = self._client.register_script(_GIVE_BACK)
        self._block = self._client.register_script(_BLOCK)
        self._away_until = 0

    def take(self, gateway: Gateway, *, hold: timedelta = HOLD, pays: int = ORDER) -> Turn | None:
        """Take a token; None when this gateway is not limited. Raises `NoTurnError`.

        `hold` is the longest that the call may be under way. `pays` is for patient callers: for how many calls of
        theirs this turn pays, 0 if it was paid with an earlier one. While orders press, each costs as many calls
        of theirs as `ONE_IN` leaves them.
        """
        if not is_limited(gateway):
            return None
        token = uuid4().hex
        granted, wait, soon = self._ask(gateway, token, max(hold, HOLD), pays)
        if not granted:
            raise NoTurnError(timedelta(microseconds=wait), soon=bool(soon))
        return Turn(gateway.name, token)

    def give_back(self, turn: Turn | None, *, used: bool = True) -> None:
        """Give a token back: a second later if a call may have reached the far side, else at once."""
        if turn is None:
            return
        pause = _SECOND + _SLACK if used else 0
        self._quietly(lambda: self._give_back(keys=_keys(turn.gateway)[:2], args=[turn.token, pause]))

    def block(self, gateway: Gateway, pause: timedelta) -> None:
        """Let no call go out for so long, because the far side asked for that; a longer block stands."""
        self._quietly(lambda: self._block(keys=_keys(gateway.name)[3:4], args=[pause // _US]))

    def look(self, gateway: Gateway, *, pressed: bool = False) -> Bucket | None:
        """How the bucket stands; None when the gateway is not limited. A broker away leaves nothing free.

        `pressed` says that orders wait for it, so that patient callers keep to their share for the next second.
        """
        if not is_limited(gateway):
            return None
        try:
            free, blocked, _ = self._ask(gateway, "", pays=1 if pressed else 0)
        except NoTurnError:
            return Bucket(free=0, blocked=timedelta(0))
        return Bucket(free=free, blocked=timedelta(microseconds=blocked))

    def _ask(self, gateway: Gateway, token: str, hold: timedelta = HOLD, pays: int = 0) -> tuple[int, int, int]:
        if _now() < self._away_until:
            raise NoTurnError(AGAIN)
        try:
            if not self._run_id:
                self._client.ping()  # a connection tells which run of the server it is to
            times = (hold // _US, self._run_id, _SECOND + _SLACK, BEFORE // _US)
            share = (pays * (ONE_IN - 1), MOST_OWED * (ONE_IN - 1), _STANDS_US)
            args: list[str | int] = [token, gateway.rate_per_s or 0, gateway.at_once, *times, *share]
            granted, wait, soon = self._take(keys=_keys(gateway.name), args=args)
            return int(granted), int(wait), int(soon)
        except redis.RedisError:
            self._away_until = _now() + _AWAY_US
            raise NoTurnError(AGAIN) from None

    def _quietly(self, call: Callable[[], object]) -> None:
        """A token that cannot be given back comes back by itself."""
        try:
            call()
        except redis.RedisError:
            self._away_until = _now() + _AWAY_US

    def _met(self, run_id: str) -> None:
        self._run_id = run_id


def is_limited(gateway: Gateway) -> bool:
    """Whether calls to that gateway are counted at all."""
    return gateway.rate_per_s is not None and gateway.rate_per_s < UNLIMITED


def _keys(gateway: str) -> list[str]:
    return [f"tieout:rate:{{{gateway}}}:{part}" for part in ("flying", "cooling", "born", "blocked", "share")]


def _now() -> int:
    return time.monotonic_ns() // 1000


def _client(broker_url: str, met: Callable[[str], None]) -> redis.Redis:
    """A client that tells, with each new connection, which run of the server it met.

    A server that was started again may have forgotten the last calls, whatever it kept on its disk.
    """
    pool = redis.ConnectionPool.from_url(
        broker_url,
        socket_timeout=1,
        socket_connect_timeout=1,
        retry=Retry(NoBackoff(), 0),
        redis_connect_func=partial(_greet, met),
    )
    pool.connection_kwargs["db"] = int(pool.connection_kwargs.get("db") or 0) + 1
    return redis.Redis(connection_pool=pool)


def _greet(met: Callable[[str], None], connection: AbstractConnection) -> None:
    connection.on_connect()  # type: ignore[no-untyped-call]
    connection.send_command("INFO", "server")  # type: ignore[no-untyped-call]
    said = connection.read_response()
    text = said.decode() if isinstance(said, bytes) else str(said)
    met(next((line[7:] for line in text.splitlines() if line.startswith("run_id:")), "unknown"))
