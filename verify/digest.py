"""The digest of a day, written, sorted and made anew without holding the day in memory."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any

from verify.closes import Close
from verify.database import Reader
from verify.report import Report
from verify.texts import plain
from verify.told import Record

RUN = 20_000  #: texts sorted at a time

_LINES = """
select coalesce(v.ours, 0) as o, coalesce(v.theirs, 0) as e, v.bucket,
  case when v.txn is not null then v.rule_set end as rule_set,
  u.line as our_line, u.order_id, u.account as our_account, u.broker as our_broker, u.trade_date as our_day,
  u.exchange as our_exchange, u.symbol as our_symbol, u.instrument as our_instrument, u.side as our_side,
  u.quantity as our_quantity, u.filled as our_filled, u.average_price as our_price, u.status as our_status,
  h.line as their_line, t.transaction_id, h.batch_id, h.placed, h.exchange, h.exchange_order_id, h.trade_date,
  h.symbol, h.instrument, h.side, h.quantity, h.filled, h.average_price, h.status
from verdicts v
left join our_lines u on u.line = v.ours
left join their_lines h on h.line = v.theirs
left join transactions t on t.txn = h.txn
left join transactions j on j.txn = v.txn
where v.trade_date = %(day)s and (
  j.gateway = %(gateway)s and j.book = %(book)s and j.rev = v.rev
  or v.txn is null and v.book = %(book)s and u.txn is null and u.gateway = %(gateway)s)
order by 1, 2
"""
_FINDINGS = """
select coalesce(ours_line, 0) as o, coalesce(theirs_line, 0) as e, level, transaction_id, subject, name, field,
  ours, theirs, tolerance
from findings
where gateway = %(gateway)s and book = %(book)s and trade_date = %(day)s and closed_at is null and txn is not null
order by level = 'line' desc, 1, 2
"""
_REFUSED = """
select encode(digest, 'hex') from refused_rows
where trade_date = %(day)s and coalesce(gateway, %(gateway)s) = %(gateway)s and replaced_by is null
"""


def check_digest(reader: Reader, close: Close, report: Report) -> None:
    """Hold the day's digest against the one that was signed."""
    whole, lines = sha256(), 0
    for text in _sorted(_texts(reader, close)):
        whole.update(f"{text}\n".encode())
        lines += 1
    report.counts["texts of the digest"] += lines
    if whole.hexdigest() != close.digest:
        words = f"the digest is {whole.hexdigest()}, and {close.digest} was signed"
        report.differs("digest", "closed_days", close.name, words)


def _texts(reader: Reader, close: Close) -> Iterator[str]:
    findings = reader.records(_FINDINGS, **close.scope)
    ahead = next(findings, None)
    for line in reader.records(_LINES, **close.scope):
        said: list[str] = []
        while ahead is not None and ahead.level == "line" and (ahead.o, ahead.e) <= (line.o, line.e):
            if (ahead.o, ahead.e) == (line.o, line.e):
                said.append(_json(_said(ahead)))
            else:
                yield _finding(ahead)
            ahead = next(findings, None)
        yield _json(["line", _ours(line), _theirs(line), line.bucket, line.rule_set, sorted(said)])
    while ahead is not None:
        yield _finding(ahead)
        ahead = next(findings, None)
    for (digest,) in reader.stream(_REFUSED, **close.scope):
        yield _json(["line", ["refused", digest], [], "excluded", None, []])


def _finding(row: Record) -> str:
    return _json(["finding", row.level, row.transaction_id, row.subject, _said(row)])


def _said(row: Record) -> list[str | None]:
    return [row.name, row.field, row.ours, row.theirs, plain(row.tolerance)]


def _ours(row: Record) -> list[str | None]:
    if row.our_line is None:
        return []
    about = [row.order_id, row.our_account, row.our_broker, row.our_day.isoformat()]
    figures = [plain(row.our_quantity), plain(row.our_filled), plain(row.our_price)]
    return [*about, row.our_exchange, row.our_symbol, row.our_instrument, row.our_side, *figures, row.our_status]


def _theirs(row: Record) -> list[str | None]:
    if row.their_line is None:
        return []
    about = [row.transaction_id, row.batch_id, "placed" if row.placed else "unplaced", row.exchange]
    about += [row.exchange_order_id, row.trade_date.isoformat()]
    figures = [plain(row.quantity), plain(row.filled), plain(row.average_price)]
    return [*about, row.symbol, row.instrument, row.side, *figures, row.status]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


# ---------------------------------------------------------------- sorting


def _sorted(texts: Iterator[str]) -> Iterator[str]:
    """The texts by their characters; sorted runs lie in files, which are merged."""
    with ExitStack() as stack:
        runs: list[Iterable[str]] = []
        while run := sorted(islice(texts, RUN)):
            if len(run) < RUN and not runs:
                yield from run
                return
            runs.append(_read(_written(stack, run)))
        yield from heapq.merge(*runs)


def _written(stack: ExitStack, run: list[str]) -> IO[str]:
    file = stack.enter_context(TemporaryFile("w+", encoding="utf-8", newline="\n"))  # noqa: SIM115 the stack closes it
    file.writelines(f"{text}\n" for text in run)
    file.seek(0)
    return file


def _read(file: IO[str]) -> Iterator[str]:
    return (line.removesuffix("\n") for line in file)
