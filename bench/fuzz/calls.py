"""A sample of answers through the client itself, over real HTTP: each call ends by its deadline."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bench.fuzz.far_side import WAYS, Says, far_side, means
from bench.fuzz.mutations import Means, mutated
from bench.fuzz.trial import TRANSACTION, Sort, details_sort, facts_of, wrong
from config.keys import Key
from config.settings import Gateway
from gateway.client import GatewayClient
from gateway.fields import WireError
from gateway.replies import GatewayError, answer_of

SLACK_S: Final = 1.0  #: of a machine that does other work as well
_KEYS: Final = (Key(key_id="k1", secret=b"a-secret-that-nobody-else-knows-0123456789"),)
_API: Final = (Key(key_id="k1", secret=b"another-secret-that-nobody-knows-0123456789"),)


@dataclass(slots=True, kw_only=True)
class Called:
    """What came of the calls."""

    calls: int = 0
    booked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    by_way: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    slowest_s: float = 0.0

    @property
    def held(self) -> bool:
        """Whether nothing crashed, was booked wrongly, or came late."""
        return not (self.crashes or self.wrong or self.late)


def call(count: int, *, deadline_s: float = 0.5, seed: int = 1) -> Called:
    """So many calls, each to a far side of its own, the ways in turn."""
    called, sort = Called(), details_sort()
    for turn in range(count):
        chance = random.Random(f"{seed} {turn}")
        body = chance.choice(sort.bodies)
        told = Says(way=tuple(WAYS)[turn % len(WAYS)], answer=mutated(body, chance))
        with far_side(told) as url:
            _one(called, sort, url, told, body, deadline_s)
    return called


def _one(called: Called, sort: Sort, url: str, told: Says, body: bytes, deadline_s: float) -> None:
    name = f"{told.way}, {told.answer.how}"
    gateway = Gateway(name="demo", url=url, secrets=_KEYS, api_secrets=_API)
    client = GatewayClient(gateway, deadline=timedelta(seconds=deadline_s))
    called.calls += 1
    called.by_way[told.way] += 1
    begun = time.monotonic()
    try:
        read = answer_of(client.ask_details(TRANSACTION), TRANSACTION)
    except (GatewayError, WireError) as error:
        called.refused[error.kind] += 1
    except Exception as error:  # noqa: BLE001 whatever it is, it is what is looked for
        called.crashes.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
    else:
        called.booked += 1
        problem = "booked" if means(told) is Means.NOTHING else wrong(sort, body, told.answer, facts_of(read))
        called.wrong += [f"{name}: {problem}"] if problem else []
    took_s = time.monotonic() - begun
    called.slowest_s = max(called.slowest_s, took_s)
    if took_s > deadline_s + SLACK_S:
        called.late.append(f"{name}: {took_s:.1f} s")
