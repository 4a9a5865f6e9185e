"""Answers of the Gateway, kept whole as they came, for ever."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

_KEEP = text("""
insert into snapshots (txn, kind, asked_at, answered_at, known_at, http_status, body, digest, mark)
select u.txn, :kind, u.asked_at, u.answered_at, :known_at, u.http_status, u.body, u.digest,
  case when u.mark <> 'news' then u.mark
       when last.asked_at > u.asked_at then 'out-of-order'
       when last.answered_at > u.asked_at then 'overlap'
       when last.digest = u.digest then 'same'
       else 'news' end
from unnest(cast(:txn as bigint[]), cast(:asked_at as timestamptz[]), cast(:answered_at as timestamptz[]),
            cast(:http_status as smallint[]), cast(:body as bytea[]), cast(:digest as bytea[]), cast(:mark as text[]))
  as u (txn, asked_at, answered_at, http_status, body, digest, mark)
left join lateral (
  select asked_at, answered_at, digest from snapshots s
  where s.txn = u.txn and s.kind = :kind order by s.asked_at desc limit 1
) last on true
returning txn, mark
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One answer with the instants, by the database's clock, between which it was given.

    `mark` is `news`, unless the answer itself is `unclear` or `absent`.
    """

    txn: int
    asked_at: datetime
    answered_at: datetime
    http_status: int
    body: bytes
    mark: str = "news"


def keep_answers(connection: Connection, *, kind: str, answers: Sequence[Kept], known_at: datetime) -> dict[int, str]:
    """Keep these answers of a kind; each txn's mark: news is found to be `same`, `out-of-order` or `overlap`.

    `known_at` is the domain's instant.
    """
    columns = ("txn", "asked_at", "answered_at", "http_status", "body", "mark")
    named: dict[str, object] = {name: [getattr(each, name) for each in answers] for name in columns}
    named["digest"] = [hashlib.sha256(each.body).digest() for each in answers]
    rows = connection.execute(_KEEP, {**named, "kind": kind, "known_at": known_at})
    return {row.txn: row.mark for row in rows}
