"""Signed webhooks as whole HTTP requests, made before the clock starts."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from random import Random

GATEWAY = "bench"
SECRET = "bench-api-secret-0123456789abcdef"  # noqa: S105 of a gateway that lives as long as the run
REPEATS_PER_100 = 2


class Requests:
    """Makes distinct signed webhooks of about 1 kB; two of a hundred repeat an earlier one."""

    def __init__(self, *, seed: int, path: str = f"/webhooks/{GATEWAY}", now: datetime) -> None:
        """Begin the sequence; another seed makes other ids."""
        self.seed, self.path = seed, path
        self.timestamp = now.isoformat()
        self._random, self._numbers = Random(seed), count()

    def make(self, number: int) -> list[bytes]:
        """So many requests, ready to be sent."""
        return list(self._stream(number))

    def _stream(self, number: int) -> Iterator[bytes]:
        recent: list[bytes] = []
        for _ in range(number):
            if recent and self._random.randrange(100) < REPEATS_PER_100:
                yield self._random.choice(recent)
                continue
            request = self._request(next(self._numbers))
            recent = [*recent[-63:], request]
            yield request

    def _request(self, number: int) -> bytes:
        body = self.body(number)
        head = f"POST {self.path} HTTP/1.1\r\nHost: edge\r\nContent-Type: application/json\r\n"
        return f"{head}User-Agent: bench\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body

    def body(self, number: int) -> bytes:
        """One signed order webhook."""
        account = f"{self.seed:08x}{number:016x}"
        content = {
            "batchId": f"{number:08x}{self.seed:016x}",
            "transactionId": f"TRX_{self.seed:016x}{number:016x}",
            "smallcaseAuthId": account,
            "status": "COMPLETED",
            "variety": "regular",
            "quantity": 6,
            "filled": 6,
            "buyAmount": 3150.1800000000001,
            "sellAmount": 0,
            "completedDate": "2026-01-15T10:30:02.118Z",
            "orders": [_leg(number * 3 + n) for n in range(3)],
            "unplaced": [],
            "timestamp": self.timestamp,
            "checksum": hmac.digest(SECRET.encode(), (self.timestamp + account).encode(), "sha256").hex(),
        }
        return json.dumps(content, separators=(",", ":")).encode()


def _leg(number: int) -> dict[str, object]:
    return {
        "status": "COMPLETE",
        "tradingsymbol": "AXISBANK",
        "exchange": "NSE",
        "transactionType": "BUY",
        "orderType": "MARKET",
        "product": "CNC",
        "quantity": 2,
        "filledQuantity": 2,
        "averagePrice": 525.03,
        "exchangeOrderId": str(1_000_000_000_000_000 + number),
    }
