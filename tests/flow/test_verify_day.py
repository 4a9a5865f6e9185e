"""The independent verifier: it says yes to what was signed, and names whatever was changed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text

from bench import tampering
from store.engine import driver_url
from store.scopes import Scope
from store.seals import layout
from tests.builders import DAY, EVENING, GATEWAY, a_leg
from tests.settled_day import RULES, import_rows, judge, ours, tell
from tests.settled_facts import FILES, tell_facts, tell_file, tell_holdings
from tieout.closing import Signature, close_day, reopen_day
from tieout.full import judge_scope
from verify.__main__ import main
from verify.closes import Close, find_close
from verify.database import Reader

SEED = 11
#: Tables tampered with at once: no row of a group is found or named by what another table of it says.
TOGETHER = (
    ("charges", "corporate_actions", "events", "holding_lines", "note_lines", "positions", "prices", "refused_rows",
     "ticks", "transfers"),
    ("batches", "decisions", "deliveries", "finding_changes", "holding_snapshots", "instruments", "line_versions",
     "notes", "snapshots"),
    ("findings", "holding_verdicts"),
)  # fmt: skip
GROUPS = (*TOGETHER, *((table,) for table in sorted(layout().keys() - {name for group in TOGETHER for name in group})))
ASHA = Signature(by="Asha Rao", now=EVENING, despite="TCS is in no list of instruments yet")


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed day with two connections to it."""

    engine: Engine
    url: str
    connection: psycopg.Connection[tuple[object, ...]]
    close: Close
    folder: Path

    def says(self, *more: str) -> tuple[int, str]:
        """What `python -m verify` ends with."""
        command = [sys.executable, "-m", "verify", "--database-url", self.url, "--date", str(DAY), *more]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def run(self, sql: str) -> None:
        """Change something behind the service's back, for the rest of the test."""
        self.connection.execute("set local session_replication_role = replica")
        self.connection.execute(sql)

    def names(self) -> set[tuple[str, str]]:
        """Table and key of every row that the verifier names from within this test's database transaction."""
        return {(each.table, each.key) for each in tampering.verdict(self.connection, self.close).differences}

    def differences(self) -> list[str]:
        """What the verifier names from within this test's database transaction."""
        return [str(difference) for difference in tampering.verdict(self.connection, self.close).differences]


@pytest.fixture(name="closed_day", scope="module")
def _closed_day(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    folder = tmp_path_factory.mktemp("files")
    tell_facts(shared_engine, folder)
    tell(shared_engine, folder)
    tell_holdings(shared_engine, folder)
    with shared_engine.begin() as connection:  # judged again by a full run: what ties out is then one row
        connection.execute(text("update transactions set rev = rev + 1"))
    judge_scope(shared_engine, scope=Scope(), now=EVENING, rules=RULES)
    close_day(shared_engine, gateway=GATEWAY, trade_date=DAY, signature=ASHA, rules=RULES)
    url = driver_url(shared_engine.url.render_as_string(hide_password=False))
    with psycopg.connect(url) as connection:
        close = find_close(Reader(connection), day=DAY)
        connection.rollback()
        yield Closed(shared_engine, url, connection, close, folder)


@pytest.fixture(name="closed")
def _closed(closed_day: Closed) -> Iterator[Closed]:
    """The closed day; what a test does on its connection is taken back."""
    with tampering.undone(closed_day.connection):
        yield closed_day


@pytest.fixture(name="all_shown")
def _all_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verifier keeps every difference, not the first few."""
    monkeypatch.setattr("verify.report.SHOWN", 10_000)


def test_a_closed_day_is_what_was_signed(closed_day: Closed) -> None:
    """The program of its own says yes, and tells how much it derived anew and how much it took as stored."""
    status, said = closed_day.says("--json", "--root", closed_day.close.root)

    told = json.loads(said)
    assert (status, told["holds"], told["differences"]) == (0, True, 0)
    assert told["checked"]["legs read anew"] == 10
    assert told["checked"]["lines of the books read anew"] == 10
    assert told["checked"]["verdicts derived anew"] >= 2
    assert told["checked"]["sealed rows"] == closed_day.close.rows


def test_a_root_that_was_written_down_is_held_against_the_close(
    closed_day: Closed, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever could change every table could not change the paper."""
    assert main(["--database-url", closed_day.url, "--date", str(DAY), "--root", "ab" * 32]) == 1
    assert "not the one written down" in capsys.readouterr().out


def test_a_day_that_was_never_closed_is_a_wrong_call(closed_day: Closed, capsys: pytest.CaptureFixture[str]) -> None:
    """As is a database that is not there a matter of its own: exit 2 and 3."""
    assert main(["--database-url", closed_day.url, "--date", "2026-11-21"]) == 2
    assert "tieout close 2026-11-21" in capsys.readouterr().err
    assert main(["--database-url", "postgresql://127.0.0.1:1/x", "--date", "2026-11-20"]) == 3


@pytest.mark.parametrize("tables", GROUPS, ids=" ".join)
def test_every_changed_value_is_found_and_its_row_named(
    closed_day: Closed, tables: Sequence[str], all_shown: None
) -> None:
    """One value of each column of each table, each of another row as long as there are rows."""
    draw, missed = random.Random(SEED), []
    every = tampering.columns(closed_day.connection)
    left = {table: [column for column in every if column.table == table] for table in tables}
    assert all(left.values())
    while any(left.values()):
        with tampering.undone(closed_day.connection):
            changed = [
                each
                for wanted in left.values()
                if wanted
                for each in tampering.change_together(closed_day.connection, closed_day.close, wanted, draw)
            ]
            named = closed_day.names()
        assert changed, f"no row to change: {left}"
        missed += [(column, key) for column, key in changed if (column.table, key) not in named]
        done = {column for column, _ in changed}
        left = {table: [column for column in wanted if column not in done] for table, wanted in left.items()}

    assert missed == []


@pytest.mark.parametrize("tables", GROUPS, ids=" ".join)
def test_a_row_taken_away_or_added_is_found_and_named(
    closed_day: Closed, tables: Sequence[str], all_shown: None
) -> None:
    """Of every table; a copy is one row too many."""
    for act in (tampering.delete, tampering.insert):
        with tampering.undone(closed_day.connection):
            touched = {
                (table, act(closed_day.connection, closed_day.close, table, random.Random(SEED))) for table in tables
            }
            assert touched <= closed_day.names()


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("update closed_days set closed_by = 'Ravi'", "its root is not"),
        ("update closed_days set totals = jsonb_set(totals, '{orders,ours,count}', '12')", "its root is not"),
        ("update closed_days set digest = sha256('x')", "the digest is"),
        ("update closed_days set previous = sha256('x')", "does not follow from the close before it"),
        ("update closed_days set reopened_by = 'Ravi'", "its reopening is not what was sealed"),
        ("update sealed_rows set key = key || 'x' where place = 7", "its root is not"),
        ("delete from sealed_rows where place = 7", "was not there when the day was closed"),
    ],
)
def test_the_seal_itself_is_sealed(closed: Closed, sql: str, words: str) -> None:
    """Neither the signature nor a sealed row can be changed unseen."""
    closed.run(sql)

    assert any(words in difference for difference in closed.differences())


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "update our_lines set quantity = 11, filled = 11 where order_id = 'O-0'",
            "our_lines O-0: its cells say another quantity, filled",
        ),
        ("update their_lines set filled = 9 where exchange_order_id = '1000'", "is not what the answer says"),
        (
            "update line_verdicts set bucket = 'matched' where bucket = 'side'",
            "verdicts O-3: lies in matched, and the two sides state another side",
        ),
        ("update line_verdicts set bucket = 'price-out' where bucket = 'matched'", "no open break of it has that name"),
        (
            "update line_verdicts set bucket = 'pending' where bucket = 'matched'",
            "lies in pending, and both sides say the",
        ),
        ("update findings set ours = '12.5' where name = 'qty-requested'", "qty-requested states 12.5 as ours"),
        ("update findings set difference = 3 where name = 'qty-requested'", "states 3.000000 as the difference"),
        ("delete from line_verdicts where bucket = 'missing-internal'", "lies in no bucket"),
        ("update holding_verdicts set internal = internal - 1 where bucket = 'unexplained'", "its steps do not lead"),
        ("update holding_verdicts set parts = '[]' where bucket = 'unexplained'", "its parts do not add up to 3"),
        ("update holding_verdicts set bucket = 'matched' where bucket = 'unexplained'", "lies in matched, and some"),
        ("update holding_verdicts set theirs_quantity = 29 where theirs_quantity = 28", "its verdicts account for"),
        ("update findings set difference = -2 where name = 'unexplained'", "is not what its verdict of that day"),
        ("delete from positions where quantity = 4", "was signed for holdings, total, ours"),
        (
            "update snapshots set body = convert_to(replace(convert_from(body, 'UTF8'), '420.1,', '420.15,'), 'UTF8')",
            "is not what the answer says",
        ),
    ],
)
def test_what_the_service_says_is_derived_anew_from_the_raw_text(closed: Closed, sql: str, words: str) -> None:
    """With no seal to go by, the cells of the books and the bodies of the answers still tell."""
    closed.run(sql)

    assert any(words in difference for difference in closed.differences()), closed.differences()


def test_facts_that_came_later_are_told_and_change_nothing(closed: Closed) -> None:
    """The same answer once more on the next day is no difference."""
    closed.run(
        "insert into snapshots (txn, kind, asked_at, answered_at, known_at, http_status, body, digest, mark)"
        " select txn, kind, asked_at + interval '1 day', answered_at + interval '1 day', known_at + interval '1 day',"
        " http_status, body, digest, 'same' from snapshots order by snapshot_id limit 1"
    )
    report = tampering.verdict(closed.connection, closed.close)

    assert report.holds
    assert report.counts["snapshots known after the close"] == 1


def test_a_fact_told_otherwise_later_is_no_difference_where_it_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    """What was replaced after the close is held against its seal as it was: notes, ticks, and instruments too."""
    tell_facts(engine, tmp_path)
    tell(engine, tmp_path)
    close_day(engine, gateway=GATEWAY, trade_date=DAY, signature=ASHA, rules=RULES)
    later = EVENING + timedelta(days=1)
    for kind in ("ticks", "prices", "charges"):
        lines = [line.replace("0.05", "0.01").replace("440", "441").replace("0.1,", "0.2,") for line in FILES[kind]]
        tell_file(engine, tmp_path, kind, *lines, now=later)
    listed = [f"{line}2026-12-31" if line.endswith(",") else line for line in FILES["instruments"]]
    tell_file(engine, tmp_path, "instruments", *listed, now=later)
    judge(engine, later)

    with psycopg.connect(driver_url(engine.url.render_as_string(hide_password=False))) as connection:
        report = tampering.verdict(connection, find_close(Reader(connection), day=DAY))
        replaced = connection.execute("select count(*) from ticks where replaced_at is not null").fetchone()
        said = connection.execute("select count(*) from instrument_versions").fetchone()
    assert [str(difference) for difference in report.differences] == []
    assert (replaced, said) == ((1,), (2,))
    assert report.counts["prices known after the close"] == 1


def test_a_change_through_the_front_door_shows_as_well(engine: Engine, tmp_path: Path) -> None:
    """A corrected file after the close makes it another day: verify says so until it is closed again."""
    tell(engine, tmp_path)
    close_day(engine, gateway=GATEWAY, trade_date=DAY, signature=ASHA, rules=RULES)
    later = EVENING + timedelta(days=1)
    row = ours(a_leg(exchangeOrderId="1000"), 0, average_price="420.20")
    import_rows(engine, tmp_path, [row], now=later)
    judge(engine, later)
    url = driver_url(engine.url.render_as_string(hide_password=False))
    assert main(["--database-url", url, "--date", str(DAY)]) == 1

    reopen_day(engine, gateway=GATEWAY, trade_date=DAY, signature=Signature(by="Asha", now=later, why="a correction"))
    close_day(engine, gateway=GATEWAY, trade_date=DAY, signature=Signature(by="Asha", now=later), rules=RULES)
    assert main(["--database-url", url, "--date", str(DAY)]) == 0
