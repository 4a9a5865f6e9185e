"""`python -m bench.rotation`: both secrets are replaced while webhooks come, as docs/operating.md tells how.

The new keys are added behind the old ones and the processes started again; the Gateway changes over;
the new ones come first; the old ones are taken away. No good webhook may be refused, no call of ours
either, and each stored delivery must name the key that signed it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import requests
from sqlalchemy import text

from bench.following.service import CALL_S, Service, service, wait_until

JWT, API = "TIEOUT_GATEWAY_SECRETS", "TIEOUT_GATEWAY_API_SECRETS"
KEYS_REFUSED = (requests.codes.unauthorized, requests.codes.forbidden)
TRANSACTIONS, SMALL = 1500, 60
STILL_TAKEN = timedelta(days=1)
RESTARTS = 3  #: steps after which the processes are started again

_DELIVERIES = text("select key_id, body from deliveries order by delivery_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the simulator's log and the tables say of the day."""

    posts: int
    faults: int  #: posts answered otherwise than they should be: a good one refused among them
    by_key: Mapping[str, int]  #: stored deliveries by the key that they name
    wrong_key: int  #: of those, which another key signed
    calls: int
    calls_refused: int  #: our calls that met 401 or 403
    restarts: int

    @property
    def held(self) -> bool:
        """Whether nothing was refused, and webhooks came under both keys."""
        return not (self.faults or self.wrong_key or self.calls_refused) and len(self.by_key) > 1

    @property
    def line(self) -> str:
        """One line for people."""
        keys = ", ".join(f"{count} by {key}" for key, count in sorted(self.by_key.items()))
        return (
            f"{self.posts} posts, {self.faults} answered otherwise than they should be; stored: {keys},"
            f" {self.wrong_key} naming another key than signed them; {self.calls} calls, {self.calls_refused} refused"
            f" for their keys; edge and workers started again {self.restarts} times meanwhile"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """A running service, and when its day closes."""

    own: Service
    close: datetime

    def add_new_behind(self) -> None:
        """The new keys are taken from now on; the old ones still sign."""
        self._use(JWT, f"{self.own.env[JWT]} j2:{secrets.token_hex(24)}")
        self._use(API, f"{self.own.env[API]} a2:{secrets.token_hex(24)}")
        self._restart()

    def change_over(self) -> None:
        """The Gateway signs with the new secrets and takes the old ones for another day."""
        jwt, api = (self.own.env[name].rpartition(":")[2] for name in (JWT, API))
        told = {"jwt": jwt, "api": api, "old_until": (self.close + STILL_TAKEN).isoformat()}
        url = f"{self.own.settings.gateway_url}/control/rotate"
        requests.post(url, json=told, timeout=CALL_S).raise_for_status()

    def put_new_first(self) -> None:
        """Our own tokens and headers use the new ones."""
        for name in (JWT, API):
            self._use(name, " ".join(reversed(self.own.env[name].split())))
        self._restart()

    def drop_old(self) -> None:
        """The old ones are gone."""
        for name in (JWT, API):
            self._use(name, self.own.env[name].split()[0])
        self._restart()

    def _use(self, name: str, value: str) -> None:
        self.own.env[name] = value

    def _restart(self) -> None:
        self.own.stop_worker()
        self.own.stop("edge")
        self.own.start("edge", "webhook")
        self.own.start_worker()


def rotate_under_load(home: Path, *, transactions: int, say: Callable[[str], None], seed: int = 1) -> Figures:
    """Play that day until its close, replace both secrets meanwhile, and count. Raises `StuckError`."""
    with (
        service(home, transactions=transactions, seed=seed, withhold="0", say=say) as own,
        ThreadPoolExecutor(1) as beside,
    ):
        close = own.now().replace(hour=10, minute=15)  # 15:45 in India, the simulator's first hold
        rotation, keys = Rotation(own=own, close=close), dict[str, str]()
        own.start_worker()
        playing = beside.submit(own.advance, close)
        steps = (rotation.add_new_behind, rotation.change_over, rotation.put_new_first, rotation.drop_old)
        for share, step in zip((0.15, 0.3, 0.45, 0.6), steps, strict=True):
            wait_until(partial(_has_come, own, share), f"{share:.0%} of the day", home)
            say(f"{share:.0%} of all webhooks posted: {step.__name__.replace('_', ' ')}")
            keys |= dict(key.split(":") for key in own.env[API].split())
            step()
        playing.result()
        own.until_quiet()
        return _counted(own, keys | dict(key.split(":") for key in own.env[API].split()))


def rotation(transactions: int = TRANSACTIONS) -> Figures:
    """The figures of one day, in a folder of its own; what it does goes to stderr."""
    with tempfile.TemporaryDirectory(prefix="tieout-rotation-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # PostgreSQL is another user when we are root
        return rotate_under_load(
            Path(folder) / "home", transactions=transactions, say=lambda words: print(words, file=sys.stderr)
        )


def _has_come(own: Service, share: float) -> bool:
    status = own.simulator("status")
    return int(status["posted"]) >= share * int(status["to_post"])


def _counted(own: Service, keys: Mapping[str, str]) -> Figures:
    log, calls = own.lines("log"), own.lines("calls")
    with own.engine.connect() as connection:
        stored = [(row.key_id, bytes(row.body)) for row in connection.execute(_DELIVERIES)]
    return Figures(
        posts=sum(line["what"] == "post" for line in log),
        faults=sum(line["what"] == "fault" for line in log),
        by_key=Counter(key for key, _ in stored),
        wrong_key=sum(not _signed(body, keys[key]) for key, body in stored),
        calls=len(calls),
        calls_refused=sum(call["status"] in KEYS_REFUSED for call in calls),
        restarts=RESTARTS,
    )


def _signed(body: bytes, secret: str) -> bool:
    """Whether that secret signed the webhook, reckoned anew from what is stored."""
    said = json.loads(body)
    message = f"{said['timestamp']}{said['smallcaseAuthId']}".encode()
    return hmac.compare_digest(hmac.new(secret.encode(), message, hashlib.sha256).hexdigest(), said["checksum"])


if __name__ == "__main__":
    figures = rotation(SMALL if "--short" in sys.argv else TRANSACTIONS)
    print(figures.line)
    sys.exit(not figures.held)
