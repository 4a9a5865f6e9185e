"""Remember what was refused, without letting a flood of it cost anything.

Refusals are counted per gateway, reason and minute; one sample of each is kept, with every secret of
ours taken out. A thread of its own writes them: no answer waits for it, and what it cannot write is
lost after a while, because a refusal is no promise.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import psycopg
import structlog

from store.refusals import RefusalRow, add, connect

SAMPLE_BYTES: Final = 2048
KEPT: Final = 2000  #: rows that wait for the database at most
FLUSH_S: Final = 1.0
REDACTED: Final = "[redacted]"

log = structlog.get_logger(__name__)

Key = tuple[str, str, datetime]


class Refusals:
    """Takes refusals from any thread and writes them in its own."""

    def __init__(self, url: str, *, secrets: Sequence[bytes]) -> None:
        """Start the thread; `secrets` are taken out of every sample."""
        self.counts: Counter[tuple[str, str]] = Counter()
        self._url = url
        self._secrets = sorted(filter(None, secrets), key=len, reverse=True)
        self._lock = threading.Lock()
        self._rows: dict[Key, RefusalRow] = {}
        self._stop = threading.Event()
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)
        self._thread.start()

    def note(
        self, *, gateway: str, reason: str, now: datetime, body: bytes, headers: Mapping[str, str], detail: str = ""
    ) -> None:
        """Count one refusal, and keep it as the sample if it is the first of its minute."""
        key = (gateway, reason, now.replace(second=0, microsecond=0))
        with self._lock:
            self.counts[gateway, reason] += 1
            row = self._rows.get(key)
            if row is None and len(self._rows) >= KEPT:
                return
            self._rows[key] = _more(row, now) if row else self._first(key, now, body, headers, detail)

    def close(self) -> None:
        """Write what waits, then end the thread."""
        self._stop.set()
        self._thread.join(5)

    def _first(self, key: Key, now: datetime, body: bytes, headers: Mapping[str, str], detail: str) -> RefusalRow:
        return RefusalRow(
            gateway=key[0],
            reason=key[1],
            minute=key[2],
            count=1,
            last_at=now,
            sample=self._redacted(body)[:SAMPLE_BYTES],
            headers={name: self._redacted(value.encode()).decode() for name, value in headers.items()},
            detail=detail,
        )

    def _redacted(self, text: bytes) -> bytes:
        for secret in self._secrets:
            text = text.replace(secret, REDACTED.encode())
        return text

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_S):
            self._flush()
        self._flush()
        self._drop_connection()

    def _flush(self) -> None:
        with self._lock:
            rows, self._rows = self._rows, {}
        if not rows:
            return
        for row in rows.values():
            log.warning("edge.refused", gateway=row.gateway, reason=row.reason, count=row.count)
        try:
            self._connection = self._connection or connect(self._url)
            add(self._connection, rows=rows.values())
        except psycopg.Error as error:
            log.warning("edge.refusals.not_written", error=type(error).__name__)
            self._drop_connection()
            self._put_back(rows)

    def _put_back(self, rows: dict[Key, RefusalRow]) -> None:
        with self._lock:
            for key, row in list(rows.items())[: KEPT - len(self._rows)]:
                later = self._rows.get(key)
                self._rows[key] = _more(row, later.last_at, later.count) if later else row

    def _drop_connection(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None


def _more(row: RefusalRow, now: datetime, count: int = 1) -> RefusalRow:
    return RefusalRow(
        gateway=row.gateway,
        reason=row.reason,
        minute=row.minute,
        count=row.count + count,
        last_at=now,
        sample=row.sample,
        headers=row.headers,
        detail=row.detail,
    )
