"""The proofs about closed days: what the verifier finds, and that the same facts give the same digest."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import psycopg
from sqlalchemy import Engine, text

from bench import resume, tampering
from bench.corpus.measure import database
from bench.corpus.orders import told
from bench.corpus.stored import RULES, tell
from bench.corpus.story import Story
from bench.proof_facts import tell_beside
from bench.proofs import Outcome
from bench.volume import made
from config.settings import child_environment
from recon.digest import digest_of
from store.days import Scope
from store.digests import canonical_texts
from store.engine import driver_url
from store.scopes import Scope as Everything
from store.seals import layout
from tieout.closing import CannotCloseError, Signature, close_day
from tieout.full import judge_scope
from tieout.review import review_due
from verify.closes import Close, find_close
from verify.database import Reader

SEEDS = (1, 2, 3)
REPEATS, BATCHES = 2, 100  #: of each plant of the corpus; of batches with several
ROUNDS = 3  #: rows tampered with for each column
LINES = 20_000  #: judged by several processes, and killed
LARGE_DAY = 1_000_000
POINTS = 20
MEMORY_MOST_MB = 300

_DAYS = text("""
select distinct gateway, trade_date from (
  select t.gateway, e.trade_date from their_lines e join transactions t on t.txn = e.txn
  union select gateway, trade_date from our_lines union select gateway, trade_date from findings
) days order by 1, 2
""")
#: What the corpus does not bring: a row that could not be read, and a decision that was taken back.
_MORE = (
    """
    insert into refused_rows (import_id, row, gateway, order_id, trade_date, digest, raw, problems)
    select min(import_id), 999999 + row_number() over (), g.gateway, 'BAD', g.trade_date, sha256('bad'),
      '{"side": "up"}', '[]'
    from imports, (select distinct gateway, trade_date from our_lines) g group by g.gateway, g.trade_date
    """,
    """
    insert into decisions (gateway, txn, kind, ours, theirs, who, why, at, undone_at, undone_by, undone_why)
    select gateway, txn, 'apart', 'none', 'none', 'Ravi', 'a mistake', registered_at, registered_at, 'Ravi', 'it was'
    from transactions
    """,
)


def verify() -> Outcome:
    """Every kind of break closed and verified, every column tampered with, and one large day."""
    lines: list[str] = []
    with _folder() as folder, database(folder) as engine:
        closed, counts, wrong = _closed_corpus(engine, folder)
        lines += [f"corpus, seeds {SEEDS}: {len(closed)} days closed, {len(wrong)} not verified", *wrong]
        lines += [f"  {count:>8,} {what}" for what, count in sorted(counts.items())]
        largest = max(closed, key=lambda close: close.rows)
        tried, missed = tampered(engine, largest, rounds=ROUNDS)
        lines += [f"{largest.name}, {largest.rows:,} sealed rows: {tried} changes, {len(missed)} not found and named"]
        lines += missed[:20]
    with _folder() as folder:
        held, said = large_day(folder, LARGE_DAY)
    return Outcome(not wrong and not missed and held, [*lines, *said])


def digest() -> Outcome:
    """The same digest for shuffled input, for 1, 2 and 4 processes, and after a kill at each of 20 points."""
    with _folder() as folder:
        shuffled = {seed: shuffled_digests(folder / str(seed), seed) for seed in SEEDS}
    lines = [f"seed {seed}: told in 3 orders, {len(set(d))} digest: {d[0][:16]}" for seed, d in shuffled.items()]
    held = all(len(set(found)) == 1 for found in shuffled.values())
    with _folder() as folder, resume.ground(folder, lines=LINES, say=print) as ground:
        by_workers = {workers: resume.judged_by(ground, workers) for workers in (1, 2, 4)}
        lines += [f"{ground.lines:,} lines, {w} processes: {found[:16]}" for w, found in by_workers.items()]
        same, killed = killed_runs(ground, by_workers[1])
    return Outcome(held and same and len(set(by_workers.values())) == 1, [*lines, *killed])


def killed_runs(ground: resume.Ground, expected: str, count: int = POINTS) -> tuple[bool, list[str]]:
    """Whether each run that was killed and taken up again says what was expected, and a line for each."""
    points = resume.points_of(ground)
    lines, same = [f"a run passes {points} points"], True
    for point in resume.drawn(points, count, seed=SEEDS[0]):
        left, found = resume.killed_at(ground, point)
        same = same and found == expected
        word = "same digest" if found == expected else f"ANOTHER DIGEST {found[:16]}"
        lines.append(f"  killed at point {point}: {left} transactions left, taken up again: {word}")
        print(lines[-1], flush=True)
    return same, lines


def shuffled_digests(folder: Path, seed: int, repeats: int = 1, batches: int = 20) -> list[str]:
    """The digest over all days of a corpus told in three orders, each in a database of its own."""
    stories = [story for story in told(seed, repeats, batches) if story.stored]
    found = []
    for order in range(3):
        random.Random(order).shuffle(stories)
        with database(folder / str(order)) as engine:
            tell(engine, stories, folder / str(order))
            found.append(digest_of_days(engine))
    return found


def digest_of_days(engine: Engine) -> str:
    """One digest over those of every day of every gateway of the corpus."""
    with engine.connect() as connection:
        days = connection.execute(_DAYS).all()
        scopes = [Scope(gateway=row.gateway, trade_date=row.trade_date, book="test") for row in days]
        return digest_of(sorted(digest_of(canonical_texts(connection, scope)) for scope in scopes))


# ---------------------------------------------------------------- closed days


def _closed_corpus(engine: Engine, folder: Path) -> tuple[list[Close], Counter[str], list[str]]:
    closed: list[Close] = []
    stories = [s for seed in SEEDS for s in told(seed + 1000 * seed, REPEATS, BATCHES) if s.stored]
    tell(engine, stories, folder)
    tell_beside(engine, folder)
    with engine.begin() as connection:
        for statement in _MORE:
            connection.execute(text(statement))
    counts, wrong = Counter[str](), list[str]()
    for gateway, day in close_all(engine, _long_after(stories)):
        with psycopg.connect(_url(engine)) as connection:
            close = find_close(Reader(connection), day=day, gateway=gateway)
            report = tampering.verdict(connection, close)
        closed.append(close)
        counts.update(report.counts)
        wrong += [f"  {close.name}: {difference}" for difference in report.differences]
    return closed, counts, wrong


def close_all(engine: Engine, now: datetime) -> list[tuple[str, date]]:
    """Judge what is due at that instant and close every day; those that were closed."""
    review_due(engine, now=now, rules=RULES, limit=10**9)
    with engine.begin() as connection:  # judged again by a full run: what ties out is then one row
        connection.execute(text("update transactions set rev = rev + 1"))
    judge_scope(engine, scope=Everything(), now=now, rules=RULES)
    with engine.connect() as connection:
        days = [(row.gateway, row.trade_date) for row in connection.execute(_DAYS)]
    signature = Signature(by="bench", now=now, despite="every kind of trouble is planted")
    for gateway, day in days:
        try:
            close_day(engine, gateway=gateway, trade_date=day, signature=signature, rules=RULES)
        except CannotCloseError as error:
            raise RuntimeError(f"{gateway} {day}: {error}") from None
    return days


def tampered(engine: Engine, close: Close, *, rounds: int, seed: int = 1) -> tuple[int, list[str]]:
    """How many changes were tried, and those whose row was not named."""
    draw, tried, missed = random.Random(seed), 0, list[str]()
    with psycopg.connect(_url(engine)) as connection:
        empty = tampering.empty_tables(connection, close)
        print(f"  {close.name} rests on no row of: {', '.join(sorted(empty)) or 'none'}", flush=True)
        columns = [column for column in tampering.columns(connection) if column.table not in empty]
        connection.rollback()
        for column in columns * rounds:
            tried += 1
            with tampering.undone(connection):
                key = tampering.change(connection, close, column, draw)
                missed += _missed(connection, close, column.table, key, f"column {column.name}")
        for act in (tampering.delete, tampering.insert):
            for table in sorted(layout().keys() - empty) * rounds:
                tried += 1
                with tampering.undone(connection):
                    key = act(connection, close, table, draw)
                    missed += _missed(connection, close, table, key, act.__name__)
    return tried, missed


def _missed(connection: tampering.Connection, close: Close, table: str, key: str, what: str) -> Iterator[str]:
    found = tampering.verdict(connection, close).differences
    if (table, key) not in {(each.table, each.key) for each in found}:
        yield f"  {table} {key}, {what}: {found[0] if found else 'holds'}"


def large_day(folder: Path, lines: int) -> tuple[bool, list[str]]:
    """One day of so many lines, judged, closed, and verified by the program of its own."""
    chosen = [replace(basket, day=made.FIRST_DAY) for basket in made.baskets()]
    with resume.ground(folder, lines=lines, say=print, chosen=chosen) as ground, ground.copy() as engine:
        judge_scope(engine, scope=Everything(), now=made.evening(), rules=made.RULES)
        took_close, close = _timed_close(engine)
        took_verify, done, memory_mb = _timed_verify(engine)
    held = done.returncode == 0 and memory_mb < MEMORY_MOST_MB
    return held, [
        f"a day of {ground.lines:,} lines: closed in {took_close:.0f} s, {close.rows:,} rows sealed",
        f"  verified in {took_verify:.0f} s, {memory_mb} MB at most; exit {done.returncode}",
        *(f"  {line}" for line in (done.stdout + done.stderr).splitlines()),
    ]


def _timed_close(engine: Engine) -> tuple[float, Close]:
    started = time.monotonic()
    signature = Signature(by="bench", now=made.evening(), despite="a measurement")
    close_day(engine, gateway=made.GATEWAY.name, trade_date=made.FIRST_DAY, signature=signature, rules=made.RULES)
    took_s = time.monotonic() - started
    with psycopg.connect(_url(engine)) as connection:
        return took_s, find_close(Reader(connection), day=made.FIRST_DAY)


def _timed_verify(engine: Engine) -> tuple[float, subprocess.CompletedProcess[str], int]:
    """Seconds, what it said, and the most memory that any child of ours has taken."""
    started = time.monotonic()
    command = [sys.executable, "-m", "verify", "--database-url", _url(engine), "--date", str(made.FIRST_DAY)]
    done = subprocess.run(command, env=child_environment({}), capture_output=True, text=True, check=False)  # noqa: S603
    memory_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    return time.monotonic() - started, done, memory_mb


def _long_after(stories: Sequence[Story]) -> datetime:
    return max(story.as_of for story in stories) + timedelta(days=40)


def _url(engine: Engine) -> str:
    return driver_url(engine.url.render_as_string(hide_password=False))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="tieout-proof-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)  # PostgreSQL's own account must reach its data
        yield Path(name)
