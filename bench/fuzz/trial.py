"""One mutated answer: read by the service, judged by the oracle.

A *wrong booking* is a value of which any fact is another than the oracle reads from the same bytes, or any
value at all where the oracle or the kind of mutation says that nothing may be booked, or another value than
the unmutated one where the mutation changed only how it is told. Refusing is never a wrong booking, but
each refusal must name its kind and its reason, and lead to a decision: wait or park.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from bench.fuzz import held, oracle
from bench.fuzz.mutations import Means, Mutated, mutated
from bench.fuzz.plain import Unreadable, code
from config.keys import Key
from gateway.consent import read_reply
from gateway.fields import WireError
from gateway.holdings import Holdings, read_holdings
from gateway.replies import GatewayError, Reply, answer_of, orders_of
from gateway.verify import verify
from gateway.wire import read_webhook
from inbox.decide import GiveUp, RetryIn, decide
from recon.history import fold
from recon.values import Answer, Batch, Leg, Snapshot

SAMPLES: Final = Path(__file__).parents[2] / "tests" / "samples"
TRANSACTION: Final = "TRX_0123456789abcdef0123456789abcdef"
SLOW_S: Final = 1.0  #: of this process: reading one answer may not take longer
_NOW: Final = datetime(2026, 1, 14, 7, 0, tzinfo=UTC)
_KEYS: Final = (Key(key_id="k1", secret=b"a-secret-that-nobody-else-knows-0123456789"),)

Facts = object


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """One kind of body: how the service reads it, how the oracle does."""

    name: str
    service: Callable[[Mutated], Facts]
    oracle: Callable[[bytes], Facts]
    bodies: Sequence[bytes]


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of many mutated answers."""

    answers: int = 0
    booked: int = 0
    refused: Counter[str] = field(default_factory=Counter)  #: by the error's kind
    by_mutation: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)  #: told otherwise, and refused, by mutation
    crashes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)  #: refused without a reason
    slowest_s: float = 0.0

    @property
    def held(self) -> bool:
        """Whether nothing crashed, was booked wrongly, refused silently, or took too long."""
        return not (self.crashes or self.wrong or self.silent) and self.slowest_s < SLOW_S

    def add(self, other: Tally) -> None:
        """Take another tally in."""
        self.answers, self.booked = self.answers + other.answers, self.booked + other.booked
        self.refused += other.refused
        self.by_mutation += other.by_mutation
        self.lost += other.lost
        self.crashes += other.crashes
        self.wrong += other.wrong
        self.silent += other.silent
        self.slowest_s = max(self.slowest_s, other.slowest_s)


class NothingError(Exception):
    """The service refused: the error it raised."""

    def __init__(self, error: GatewayError | WireError) -> None:
        """Keep it."""
        super().__init__(str(error))
        self.error = error


def run(seed: int, count: int) -> Tally:
    """So many mutated answers from that seed on; the same seed gives the same ones."""
    tally, sorts = Tally(), _sorts()
    for turn in range(seed, seed + count):
        chance = random.Random(turn)
        sort = chance.choices(sorts, weights=(6, 2, 3, 2))[0]
        _try(tally, sort, chance, turn)
    return tally


def _try(tally: Tally, sort: Sort, chance: random.Random, turn: int) -> None:
    body = chance.choice(sort.bodies)
    answer = mutated(body, chance)
    name = f"{sort.name} {answer.how} #{turn}"
    tally.answers += 1
    tally.by_mutation[answer.how] += 1
    begun = time.process_time()
    try:
        booked = sort.service(answer)
    except NothingError as refusal:
        _refused(tally, refusal.error, name)
        tally.lost[answer.how] += answer.means is Means.SAME and _readable(sort, body)
    except Exception as error:  # noqa: BLE001 whatever it is, it is what is looked for
        tally.crashes.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
    else:
        tally.booked += 1
        if problem := wrong(sort, body, answer, booked):
            tally.wrong.append(f"{name}: {problem}")
    tally.slowest_s = max(tally.slowest_s, time.process_time() - begun)


def wrong(sort: Sort, body: bytes, answer: Mutated, booked: Facts) -> str:
    """Why that must not be booked; empty if it may."""
    if answer.means is Means.NOTHING:
        return "booked, though it says nothing"
    try:
        told = sort.oracle(answer.body)
    except Unreadable as error:
        return f"booked, though {error}"
    if told != booked:
        return f"booked {difference(booked, told)}"
    if answer.means is Means.SAME and told != sort.oracle(body):
        return f"means {difference(told, sort.oracle(body))}"
    return ""


def difference(one: Any, other: Any) -> str:
    """The first place at which two facts differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping) and set(one) == set(other):
        return next((f"{key}: {difference(one[key], other[key])}" for key in one if one[key] != other[key]), "")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return next(
            (f"[{i}] {difference(a, b)}" for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), ""
        )
    return f"{str(one)[:120]!r} and not {str(other)[:120]!r}"


def _readable(sort: Sort, body: bytes) -> bool:
    try:
        sort.oracle(body)
    except Unreadable:
        return False
    return True


def _refused(tally: Tally, error: GatewayError | WireError, name: str) -> None:
    tally.refused[error.kind] += 1
    for attempts, age in ((1, timedelta(0)), (7, timedelta(days=2))):
        decision = decide(error, attempts, age)
        if not str(error) or not decision.reason or not isinstance(decision, RetryIn | GiveUp):
            tally.silent.append(name)


# ------------------------------------------------------------ how the service reads


def details_sort() -> Sort:
    """Transaction details, the answers that money is booked from."""
    return Sort(name="details", service=_details, oracle=_told_details, bodies=_bodies("details", _told_details))


def _sorts() -> tuple[Sort, ...]:
    return (
        details_sort(),
        Sort(name="orders", service=_orders, oracle=oracle.orders, bodies=_bodies("orders", oracle.orders)),
        Sort(name="holdings", service=_holdings, oracle=_told_holdings, bodies=_bodies("holdings", _told_holdings)),
        Sort(name="webhook", service=_webhook, oracle=oracle.webhook, bodies=_bodies("webhook", oracle.webhook)),
    )


def _bodies(folder: str, read: Callable[[bytes], object]) -> list[bytes]:
    """The recorded bodies of that kind that say something."""
    found = []
    for path in sorted((SAMPLES / folder).glob("*.json")):
        try:
            read(path.read_bytes())
        except Unreadable:
            continue
        found.append(path.read_bytes())
    return found


def _told_details(body: bytes) -> Facts:
    return oracle.details(body, TRANSACTION)


def _told_holdings(body: bytes) -> Facts:
    told = held.holdings(body)
    return {"account": told["account"], "rows": [row for row in told["rows"] if row is not None]}


def _reply(answer: Mutated) -> Reply:
    return Reply(http_status=answer.status, body=answer.body, took_ms=1)


def _details(answer: Mutated) -> Facts:
    try:
        read = answer_of(_reply(answer), TRANSACTION)
    except (GatewayError, WireError) as error:
        raise NothingError(error) from None
    fold([Snapshot(ref="s", asked_at=_NOW, answered_at=_NOW, answer=read)])
    return facts_of(read)


def _orders(answer: Mutated) -> Facts:
    try:
        read = orders_of(_reply(answer))
    except (GatewayError, WireError) as error:
        raise NothingError(error) from None
    return {transaction_id: [_batch(batch) for batch in batches] for transaction_id, batches in read.items()}


def _holdings(answer: Mutated) -> Facts:
    try:
        read = read_reply(_reply(answer), read_holdings)
    except (GatewayError, WireError) as error:
        raise NothingError(error) from None
    return _held(read)


def _webhook(answer: Mutated) -> Facts:
    """As the edge takes it: judged, and read for what it says; a status has no meaning here."""
    verify(answer.body, _KEYS, now=_NOW)
    try:
        account, transaction, batch = read_webhook(answer.body)
    except WireError as error:
        raise NothingError(error) from None
    if answer.how == "status":
        raise NothingError(WireError("a webhook has no status"))
    return {"account": account, "transaction": transaction, "batch": _batch(batch) if batch else None}


def facts_of(answer: Answer) -> Facts:
    """An answer in the oracle's words."""
    return {
        "status": answer.status,
        "intent": answer.intent,
        "account": answer.account,
        "broker": answer.broker,
        "error": (code(answer.error_code), answer.error_message),
        "batches": [_batch(batch) for batch in answer.batches],
        "requested": [(leg.symbol, leg.side, _micro(leg.quantity)) for leg in answer.requested],
    }


def _batch(batch: Batch) -> Mapping[str, object]:
    counts = {name: _micro(getattr(batch, name)) for name in ("quantity", "filled", "buy_amount", "sell_amount")}
    named = {name: getattr(batch, name) for name in ("batch_id", "status", "variety", "broker", "dummy")}
    return {**named, **counts, "legs": [_leg(leg) for leg in batch.legs]}


def _leg(leg: Leg) -> Mapping[str, object]:
    named = {
        name: getattr(leg, name) for name in ("placed", "exchange", "symbol", "side", "status", "exchange_order_id")
    }
    return named | {name: _micro(getattr(leg, name)) for name in ("quantity", "filled", "average_price")}


def _held(read: Holdings) -> Facts:
    rows = [
        {
            "isin": line.isin,
            "tickers": bool(line.nse_ticker or line.bse_ticker),
            "held": _micro(line.held),
            "t1": _micro(line.t1),
            "nse": _micro(line.nse_quantity),
            "bse": _micro(line.bse_quantity),
            "transactable": _micro(line.transactable),
            "smallcase": _micro(line.smallcase),
            "collateral": _micro(line.collateral),
        }
        for line in read.lines
    ]
    return {"account": read.account, "rows": rows}


def _micro(value: Decimal | None) -> int | None:
    """In millionths; what is not exact to them is a value that the service must not have."""
    if value is None:
        return None
    micro = value.scaleb(6)
    return int(micro) if micro == micro.to_integral_value() else -(10**30)
