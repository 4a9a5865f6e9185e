"""Stories told to the real tables: answers, webhooks and books stored, reconciled, and read as people read them.

The books go through an import, the answers through the store, the findings come from the listing.
Each story is judged at its own instant, together with all stories of that instant.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, Engine, insert, text

from bench.corpus.draw import HIGH, INSTRUMENTS, LOW, TICK, TICKED
from bench.corpus.score import Said
from bench.corpus.story import Found, Row, Story, Webhook
from bench.corpus.wire import ABSENT, answer_body, basket, webhook_body
from config.calendar import exchange_calendar
from config.settings import Gateway
from config.statuses import read_statuses
from recon.values import Policy
from store import schema
from store.desk_breaks import FindingFilter
from store.snapshots import Kept, keep_answers
from tieout.desk.breaks import listing
from tieout.desk.day import day as day_of
from tieout.import_report import Job, Report
from tieout.imports import KINDS
from tieout.reconcile import reconcile
from tieout.rules import Rules
from tieout.state import refresh

#: The books of the second are declared complete, day by day, before they are due.
OPEN, DECLARED = "corpus", "declared"
GATEWAYS = [Gateway(name=name, url="", secrets=(), api_secrets=(), book="test") for name in (OPEN, DECLARED)]
RULES = Rules(Policy(), exchange_calendar())
EXCHANGES = ("NSE", "BSE")
STATES = ("break", "pending", "note")
TOGETHER = 500  #: transactions reconciled in one database transaction
ORDERS = (
    *("order_id", "transaction_id", "account", "trade_date", "exchange", "symbol", "side", "quantity", "gateway"),
    *("batch_id", "exchange_order_id", "isin", "broker", "filled_quantity", "average_price", "status"),
    "executed_at",
)

#: When the questions of the corpus were asked, by the database's clock: only their order matters.
_ASKED = datetime(2026, 11, 1, tzinfo=UTC)
_EVERY, _TOOK = timedelta(minutes=1), timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the service says of all stories, by transaction, and what it cannot account for."""

    said: dict[str, Said]
    by_statement: int  #: transactions that the one statement matched whole


def tell(engine: Engine, stories: Sequence[Story], folder: Path, rules: Rules = RULES) -> Told:
    """Store these stories, judge each at its instant, and read what is said of them.

    `folder` takes the files that are imported. The database must be migrated.
    """
    bring(engine, "instruments", _instruments(folder), stories[0].as_of)
    bring(engine, "ticks", _ticks(folder), stories[0].as_of)
    bring(engine, "prices", _prices(folder, stories), stories[0].as_of)
    txns: dict[str, int] = {}
    for part in _parts(stories):
        with engine.begin() as connection:
            txns |= {story.transaction_id: _transaction(connection, story) for story in part}
    _judge(engine, stories, txns, rules)
    _books(engine, stories, folder)
    by_statement = _judge(engine, stories, txns, rules)
    return Told(said=_said(engine, stories), by_statement=by_statement)


def again(engine: Engine, stories: Sequence[Story], rules: Rules = RULES) -> Told:
    """Judge stories that were told once more, each at its instant, and read what is said of them now."""
    with engine.connect() as connection:
        txns = {row.transaction_id: row.txn for row in connection.execute(text(_TXNS))}
    by_statement = _judge(engine, stories, txns, rules)
    return Told(said=_said(engine, stories), by_statement=by_statement)


def gateway_of(story: Story) -> str:
    """The gateway under which a story is told."""
    return DECLARED if story.complete else OPEN


def _parts(stories: Sequence[Story]) -> Iterator[Sequence[Story]]:
    yield from (stories[start : start + TOGETHER] for start in range(0, len(stories), TOGETHER))


def _judge(engine: Engine, stories: Sequence[Story], txns: dict[str, int], rules: Rules) -> int:
    """Judge all stories, those of one instant together; how many the one statement matched whole."""
    instants: defaultdict[datetime, list[Story]] = defaultdict(list)
    for story in stories:
        instants[story.as_of].append(story)
    by_statement = 0
    for now, judged in instants.items():
        for part in _parts(judged):
            with engine.begin() as connection:
                ids = [txns[story.transaction_id] for story in part]
                by_statement += reconcile(connection, txns=ids, now=now, rules=rules).by_statement
    return by_statement


# ---------------------------------------------------------------- what comes from the Gateway


def _transaction(connection: Connection, story: Story) -> int:
    """The transaction with all that was heard and answered of it."""
    values = {
        "gateway": gateway_of(story),
        "transaction_id": story.transaction_id,
        "book": "test",
        "origin": "registration",
        "registered_at": story.registered_at,
        "expire_at": story.expire_at,
        "requested": basket(story) or None,
    }
    statement = insert(schema.transactions).values(**values).returning(schema.transactions.c.txn)
    txn = int(connection.execute(statement).scalar_one())
    last_asked = _answer(connection, txn, story)
    for webhook in sorted(story.webhooks, key=lambda heard: heard.received_at):
        _hear(connection, story, webhook, last_asked)
    for body in story.garbled:
        _keep_webhook(connection, story, body, story.registered_at, _ASKED)
    refresh(connection, txn=txn, now=story.as_of, rules=RULES)
    return txn


def _answer(connection: Connection, txn: int, story: Story) -> datetime:
    """Keep every answer; when the last question was asked."""
    asked = _ASKED
    for answer in story.answers:
        asked += _TOOK / 2 if answer.overlaps else _EVERY
        _keep(connection, txn, answer_body(story, answer), asked, story.registered_at, "news")
    for known_at in story.absent_at:
        asked += _EVERY
        _keep(connection, txn, ABSENT, asked, known_at, "absent")
    return asked


def _keep(connection: Connection, txn: int, body: bytes, asked: datetime, known_at: datetime, mark: str) -> None:
    kept = Kept(txn=txn, asked_at=asked, answered_at=asked + _TOOK, http_status=200, body=body, mark=mark)
    keep_answers(connection, kind="details", answers=[kept], known_at=known_at)


def _hear(connection: Connection, story: Story, webhook: Webhook, last_asked: datetime) -> None:
    stored_at = last_asked + _EVERY if webhook.unasked else _ASKED
    _keep_webhook(connection, story, webhook_body(story, webhook), webhook.received_at, stored_at)


def _keep_webhook(
    connection: Connection, story: Story, body: bytes, received_at: datetime, stored_at: datetime
) -> None:
    """Keep a webhook as an edge would; the same content again is one more delivery of its event."""
    event_id = UUID(bytes=sha256(body).digest()[:16])
    event = {
        "event_id": event_id,
        "gateway": gateway_of(story),
        "transaction_id": story.transaction_id,
        "received_at": received_at,
        "stored_at": stored_at,
    }
    connection.execute(text(_EVENT), event)
    delivery = {
        "event_id": event_id,
        "received_at": received_at,
        "body": body,
        "headers": {},
        "signature": b"s",
        "key_id": "k1",
        "verdict": "verified",
    }
    connection.execute(insert(schema.deliveries).values(**delivery))


_EVENT = """
insert into events (event_id, gateway, book, family, transaction_id, key_id, received_at, stored_at, state)
values (:event_id, :gateway, 'test', 'orders', :transaction_id, 'k1', :received_at, :stored_at, 'done')
on conflict do nothing
"""


# ---------------------------------------------------------------- what the company says


def _instruments(folder: Path) -> Path:
    file = folder / "instruments.csv"
    rows = [[s.exchange, s.symbol, s.isin, s.since.isoformat(), s.until or ""] for s in INSTRUMENTS]
    return write(file, ("exchange", "symbol", "isin", "from", "to"), rows)


def _ticks(folder: Path) -> Path:
    """The tick of the one share of which it is known."""
    rows = [[exchange, TICKED.isin, TICK, TICKED.since.isoformat()] for exchange in EXCHANGES]
    return write(folder / "ticks.csv", ("exchange", "isin", "tick", "from"), rows)


def _prices(folder: Path, stories: Sequence[Story]) -> Path:
    """What it traded at on every day near any story."""
    told = {day for story in stories for day in _days(story)}
    days = [min(told) + timedelta(days=after) for after in range(-10, (max(told) - min(told)).days + 11)]
    rows = [[exchange, TICKED.isin, day.isoformat(), LOW, HIGH] for exchange in EXCHANGES for day in days]
    return write(folder / "prices.csv", ("exchange", "isin", "date", "low", "high"), rows)


def _books(engine: Engine, stories: Sequence[Story], folder: Path) -> None:
    """Import the books: all of the one gateway, then day by day those that are declared complete."""
    usual = [story for story in stories if not story.complete]
    bring(engine, "orders", _orders(folder / "orders.csv", usual), min(story.as_of for story in stories))
    for day in sorted({story.trade_date for story in stories if story.complete}):
        declared = [story for story in stories if story.complete and story.trade_date == day]
        file = _orders(folder / f"orders-{day}.csv", declared)
        bring(engine, "orders", file, min(story.as_of for story in declared), complete_for=day)


def _orders(file: Path, stories: Sequence[Story]) -> Path:
    return write(file, ORDERS, [_order(row, gateway_of(story)) for story in stories for row in story.rows])


def _order(row: Row, gateway: str) -> list[object]:
    said = [
        *(row.order_id, row.transaction_id, row.account, row.trade_date.isoformat(), row.exchange, row.symbol),
        *(row.side, row.quantity, gateway, row.batch_id, row.exchange_order_id, row.isin, row.broker),
        *(row.filled, row.price, row.status, row.executed_at and row.executed_at.isoformat()),
    ]
    return ["" if value is None else value for value in said]


def write(file: Path, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    """Write a CSV file with that header; the file."""
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([head, *rows])
    return file


def bring(engine: Engine, kind: str, file: Path, now: datetime, complete_for: date | None = None) -> Report:
    """Import without judging: every story is judged at its own instant."""
    gateways = [GATEWAYS[1]] if complete_for else GATEWAYS
    job = Job(
        file=file, gateways=gateways, statuses=read_statuses(), now=now, rules=RULES, complete_for=complete_for
    )  # fmt: skip
    with engine.begin() as connection:
        report = KINDS[kind](connection, job)
    if report.refused:
        raise ValueError(f"{file.name}: {report.refused} rows refused, the first: {report.problems[0]}")
    return report


# ---------------------------------------------------------------- what is said of it


def _said(engine: Engine, stories: Sequence[Story]) -> dict[str, Said]:
    said = {story.transaction_id: Said(found=[], ours={}, theirs=[]) for story in stories}
    for named in listing(engine, FindingFilter(states=STATES), severity_of=lambda _finding: "info"):
        line = None if named["line"] is None else str(named["line"])
        if str(named["transaction_id"]) in said:
            said[str(named["transaction_id"])].found.append(Found(str(named["name"]), line, str(named["state"])))
    _add_buckets(engine, said, {row.order_id: story for story in stories for row in story.rows})
    return said


def _add_buckets(engine: Engine, said: dict[str, Said], told: dict[str, Story]) -> None:
    """Where each line lies by the verdicts that count; a line that names no transaction by its order id."""
    elsewhere = Said(found=[], ours={}, theirs=[])
    with engine.connect() as connection:
        for row in connection.execute(text(_BUCKETS)):
            story = told.get(row.order_id or "")
            where = said.get(row.transaction_id or (story.transaction_id if story else ""), elsewhere)
            if row.order_id is not None:
                where.ours[row.order_id] = row.bucket
            if row.theirs is not None:
                where.theirs.append((row.exchange_order_id, row.bucket))


_TXNS = "select transaction_id, txn from transactions"
_BUCKETS = """
select t.transaction_id, o.order_id, v.theirs, e.exchange_order_id, v.bucket
from verdicts v left join transactions t on t.txn = v.txn
left join our_lines o on o.line = v.ours left join their_lines e on e.line = v.theirs
where v.txn is null or t.rev = v.rev
"""


def unaccounted(engine: Engine, stories: Sequence[Story]) -> int:
    """Lines of all days that lie in no bucket, by the control totals."""
    days = {(gateway_of(story), day) for story in stories for day in _days(story)}
    with engine.connect() as connection:
        found = [
            day_of(connection, gateway=gateway, trade_date=day, as_of=stories[0].as_of, with_digest=False)
            for gateway, day in sorted(days)
        ]
    return sum(day.orders.unaccounted.count for day in found)


def _days(story: Story) -> set[date]:
    """The days on which a line of the story may lie."""
    return {story.trade_date, *(row.trade_date for row in story.rows)}
