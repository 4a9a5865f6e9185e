"""Answers of the Gateway, kept whole as they came, for ever."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

_KEEP = text("""
with last as (
  select asked_at, answered_at, digest from snapshots
  where txn = :txn and kind = :kind order by asked_at desc limit 1
)
insert into snapshots (txn, kind, asked_at, answered_at, known_at, http_status, body, digest, mark)
select :txn, :kind, :asked_at, clock_timestamp(), :known_at, :http_status, :body, :digest,
  case when :mark <> 'news' then :mark
       when last.asked_at > :asked_at then 'out-of-order'
       when last.answered_at > :asked_at then 'overlap'
       when last.digest = :digest then 'same'
       else 'news' end
from (select 1) as one left join last on true
returning snapshot_id, mark
""")


def keep_snapshot(
    connection: Connection,
    *,
    txn: int,
    kind: str,
    asked_at: datetime,
    known_at: datetime,
    http_status: int,
    body: bytes,
    mark: str = "news",
) -> Row[Any]:
    """Keep an answer to a question asked at `asked_at` (database's clock): its id and its mark.

    `mark` is `news`, unless the answer itself is `unclear` or `absent`; news is found to be
    `same`, `out-of-order` or `overlap` by what was kept before.
    """
    named = {"txn": txn, "kind": kind, "asked_at": asked_at, "known_at": known_at, "mark": mark}
    digest = hashlib.sha256(body).digest()
    return connection.execute(_KEEP, {**named, "http_status": http_status, "body": body, "digest": digest}).one()
