"""The limit in real time, with the broker emptied in the middle; then a far side that is down."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import redis
import requests

from bench.following.service import CALL_S, GATEWAY, Service, wait_until
from config.keys import parse_keys
from gateway.tokens import guest_token

FAR_LIMIT, OURS = 10, 8  #: calls in any sliding second: above it the far side refuses; what we keep to
WINDOW = 2 * OURS + 8  #: places by which the order may be off: what is announced at once, twice
LIMIT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitFigures:
    """What the far side counted."""

    calls: int
    refused: int
    busiest: int  #: calls in its busiest second
    took_s: float

    def problems(self) -> list[str]:
        """What must not be."""
        return [f"the far side refused {self.refused} calls"] if self.refused else []


@dataclass(frozen=True, slots=True, kw_only=True)
class OutageFigures:
    """What came of an outage."""

    open: int
    lost: int
    breaker: tuple[str, ...]  #: its changes, oldest first
    turned_away: int  #: calls while the far side was down
    furthest: int  #: places by which a call came before or after its turn
    refused: int
    caught_up_s: float

    def problems(self) -> list[str]:
        """What must not be."""
        found = [f"{self.lost} transactions lost"] if self.lost else []
        if "opened" not in self.breaker or self.breaker[-1] != "closed":
            found.append(f"the breaker went {self.breaker}")
        if self.furthest > WINDOW:
            found.append(f"a call came {self.furthest} places from its turn")
        if self.refused:
            found.append(f"the far side refused {self.refused} calls")
        return found


def keep_to_limit(own: Service, *, count: int) -> LimitFigures:
    """Ask for so many at our rate; empty the broker when half of them are asked for."""
    ids = _created(own, count)
    own.steer(f"limit?above={FAR_LIMIT}")
    own.steer("speed?x=1")
    own.stop_worker()
    own.start_worker(rate=str(OURS))
    refused, begun = own.simulator("status")["refused"], time.monotonic()
    before = len(_calls(own))
    own.bring_in("transactions", _registered(ids, own.now() - timedelta(minutes=1)))
    _until_asked(own, ids, count // 2)
    own.say("half of them asked for: FLUSHALL")
    with redis.Redis.from_url(own.servers.broker_url) as client:
        client.flushall()
    _until_asked(own, ids, count)
    calls = _calls(own)[before:]
    return LimitFigures(
        calls=len(calls),
        refused=own.simulator("status")["refused"] - refused,
        busiest=_busiest(calls),
        took_s=round(time.monotonic() - begun, 1),
    )


def go_down(own: Service, *, count: int, down_s: float) -> OutageFigures:
    """Have so many open while the far side is down for a while, then let it come back."""
    own.steer("limit?above=0")
    ids = _created(own, count)
    own.steer(f"limit?above={FAR_LIMIT}")
    before = own.simulator("status")
    own.steer("down?how=503")
    wanted = _weighed(own, ids)
    wait_until(lambda: "opened" in _breaker(own), "the breaker to open", own.home)
    own.say(f"down, the breaker is open; for {down_s:.0f} s")
    time.sleep(down_s)
    own.steer("up")
    begun = time.monotonic()
    own.say("up again")
    _until_asked(own, ids, count)
    order = _order(own, set(ids))
    after = own.simulator("status")
    return OutageFigures(
        open=count,
        lost=count - len(order),
        breaker=_breaker(own),
        turned_away=after["turned_away"] - before["turned_away"],
        furthest=_furthest(order, wanted),
        refused=after["refused"] - before["refused"],
        caught_up_s=round(time.monotonic() - begun, 1),
    )


def _created(own: Service, count: int) -> list[str]:
    """So many transactions that the Gateway knows, as the company would create them."""
    (key,) = parse_keys(own.env["TIEOUT_GATEWAY_SECRETS"])
    (api,) = parse_keys(own.env["TIEOUT_GATEWAY_API_SECRETS"])
    headers = {
        "x-gateway-secret": api.secret.decode(),
        "x-gateway-authtoken": guest_token(key, now=datetime.now(UTC)),
    }
    url = f"{own.settings.gateway_url}/gateway/{GATEWAY}/transaction"
    basket = {"type": "SECURITIES", "securities": [{"ticker": "AXISBANK", "quantity": 1, "type": "BUY"}]}
    body = {"intent": "TRANSACTION", "orderConfig": basket}
    with requests.Session() as session:
        answers = [session.post(url, json=body, headers=headers, timeout=CALL_S).json() for _ in range(count)]
    return [answer["data"]["transactionId"] for answer in answers]


def _registered(ids: Sequence[str], created_at: datetime) -> str:
    """These transactions as a file of the company, created then."""
    rows = [f"{GATEWAY},{i},{created_at.isoformat()}" for i in ids]
    return "\n".join(["gateway,transaction_id,created_at", *rows, ""])


def _weighed(own: Service, ids: Sequence[str]) -> list[str]:
    """Register half of them as of yesterday, each with an order of its own size; the order they are to be asked in."""
    now, draw = own.now(), random.Random(7)
    sizes = draw.sample(range(1, 10 * len(ids)), len(ids))
    old = len(ids) // 2
    yesterday = (now - timedelta(days=1)).date()
    lines = [_line(n, i, sizes[n], yesterday if n < old else now.date()) for n, i in enumerate(ids)]
    own.bring_in("orders", "\n".join([_COLUMNS, *lines, ""]))
    own.bring_in("transactions", _registered(ids[:old], now - timedelta(days=1)))
    own.bring_in("transactions", _registered(ids[old:], now - timedelta(minutes=1)))
    size = dict(zip(ids, sizes, strict=True))
    return sorted(ids[:old], key=lambda i: -size[i]) + sorted(ids[old:], key=lambda i: -size[i])


_COLUMNS = (
    "order_id,transaction_id,account,trade_date,exchange,symbol,side,quantity,gateway,filled_quantity,average_price"
)


def _line(number: int, transaction_id: str, size: int, day: object) -> str:
    account = "5f0321b5f3743c31d95abd35"
    return f"DOWN-{number},{transaction_id},{account},{day},NSE,AXISBANK,BUY,{size},{GATEWAY},{size},1000.00"


def _until_asked(own: Service, ids: Sequence[str], count: int) -> None:
    wanted = set(ids)
    wait_until(lambda: len(_order(own, wanted)) >= count, f"{count} answers", own.home, limit_s=LIMIT_S)


def _order(own: Service, ids: set[str]) -> list[str]:
    """Those of the ids that were answered, in the order of their first answer by the far side's log."""
    time.sleep(0.5)
    good = (line["transaction_id"] for line in _calls(own) if line["status"] == requests.codes.ok)
    return [i for i in dict.fromkeys(good) if i in ids]


def _calls(own: Service) -> list[dict[str, Any]]:
    """The questions about transactions, by the far side's log."""
    return [line for line in own.lines("calls") if line["path"] == "transactiondetails"]


def _furthest(order: Sequence[str], wanted: Sequence[str]) -> int:
    place = {transaction_id: n for n, transaction_id in enumerate(wanted)}
    return max((abs(place[i] - n) for n, i in enumerate(order)), default=0)


def _breaker(own: Service) -> tuple[str, ...]:
    (now,) = own.tieout("gateways")
    return tuple(change["breaker"] for change in reversed(now["changes"]))


def _busiest(calls: Sequence[dict[str, Any]]) -> int:
    """The most calls that came in any sliding second."""
    instants = [datetime.fromisoformat(call["wall"]) for call in calls]
    first = most = 0
    for last, at in enumerate(instants):
        while at - instants[first] >= timedelta(seconds=1):
            first += 1
        most = max(most, last - first + 1)
    return most
