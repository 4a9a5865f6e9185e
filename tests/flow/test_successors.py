"""What instruments say beside the ISIN: the series, and the ISIN that comes after; how lines and holdings go by it."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from store.instruments import read_master
from store.lines import isins_on
from tests.builders import (
    NOON,
    a_batch,
    a_leg,
    a_transaction,
    an_answer,
    our_line,
    rules,
    store_snapshot,
    store_webhook,
)
from tests.holdings_told import ACCOUNT, GATEWAY, INFY, NOW, RULES, TCS, Told
from tieout.desk.reference import facts
from tieout.import_report import Report
from tieout.imports import import_file
from tieout.reconcile import reconcile
from tieout.state import refresh

HEAD = "exchange,symbol,isin,series,from,to,successor"
NEXT, LAST = "INE009A01039", "INE002A01018"
ACTIONS = "kind,isin,new_isin,ex_date,ratio_from,ratio_to"


class Imports:
    """Imports texts as files, an hour apart."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder, self.now = engine, folder, NOW

    def __call__(self, kind: str, *lines: str) -> Report:
        """Import these lines, the first of which is the header."""
        file = self.folder / f"{kind}.csv"
        file.write_text("\n".join(lines) + "\n")
        self.now += timedelta(hours=1)
        return import_file(self.engine, kind=kind, file=file, gateways=[GATEWAY], now=self.now, rules=RULES)

    def all(self, sql: str) -> list[Any]:
        """The rows of a query."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql)))


@pytest.fixture(name="imports")
def _imports(engine: Engine, tmp_path: Path) -> Imports:
    """Imports into this test's database."""
    return Imports(engine, tmp_path)


@pytest.fixture(name="told")
def _told(engine: Engine, tmp_path: Path) -> Told:
    """What is told goes into this test's database."""
    return Told(engine, tmp_path)


def counts(report: Report) -> tuple[int, int, int, int]:
    """New, changed, unchanged, refused."""
    return (report.new, report.changed, report.unchanged, report.refused)


# ---------------------------------------------------------------- what a row may say


def test_series_and_successor_are_kept_with_their_versions(imports: Imports) -> None:
    """What is told otherwise is a version; a file without the columns takes nothing back."""
    row = f"NSE,INFY,{INFY},EQ,2026-01-01,2026-01-13,{NEXT}"
    assert counts(imports("instruments", HEAD, row)) == (1, 0, 0, 0)
    plain = ("exchange,symbol,isin,from,to", f"NSE,INFY,{INFY},2026-01-01,2026-01-13")
    assert counts(imports("instruments", *plain)) == (0, 0, 1, 0)
    assert counts(imports("instruments", HEAD, row.replace("EQ", "be"))) == (0, 1, 0, 0)

    told = facts(imports.engine, "instruments", about=NEXT, versions=True)
    assert [(f["series"], f["successor"], f["replaced_at"] is None) for f in told] == [
        ("EQ", NEXT, False),
        ("BE", NEXT, True),
    ]


def test_other_names_of_the_columns_are_understood(imports: Imports) -> None:
    """As exchanges and vendors write them."""
    head = "EXCHANGE,Trading Symbol,ISIN Number,Valid From,Valid To,Series,New ISIN"
    assert counts(imports("instruments", head, f"NSE,INFY,{INFY},2026-01-01,2026-01-13,EQ,{NEXT}")) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (f"NSE,INFY,{INFY},EQUITY,2026-01-01,,", "series", "EQ, BE"),
        (f"NSE,INFY,{INFY},EQ,2026-01-01,2026-01-13,INE009A01038", "successor", "by its other characters it is 9"),
        (f"NSE,INFY,{INFY},EQ,2026-01-01,2026-01-13,INE009", "successor", "is not an ISIN"),
        (f"NSE,INFY,{INFY},EQ,2026-01-01,2026-01-13,{INFY}", "successor", "is the same ISIN"),
        (f"NSE,INFY,{INFY},EQ,2026-01-01,,{NEXT}", "to", "a successor is told"),
    ],
)
def test_a_wrong_series_or_successor_is_refused_with_the_fix(
    imports: Imports, row: str, column: str, words: str
) -> None:
    """The column at fault is named, and what to write."""
    report = imports("instruments", HEAD, row)

    assert counts(report) == (0, 0, 0, 1)
    (problem,) = report.problems
    assert (problem.column, words in f"{problem.problem}; {problem.fix}") == (column, True)


def test_a_circle_of_successors_is_refused_over_files_too(imports: Imports) -> None:
    """The row that closes it is refused and the way round is told; a chain is taken."""
    first = f"NSE,A,{INFY},EQ,2026-01-01,2026-01-13,{NEXT}"
    assert counts(imports("instruments", HEAD, first)) == (1, 0, 0, 0)

    report = imports(
        "instruments",
        HEAD,
        f"NSE,B,{NEXT},EQ,2026-01-14,2026-02-01,{LAST}",
        f"NSE,C,{LAST},EQ,2026-02-02,2026-03-01,{INFY}",
        f"NSE,D,{TCS},EQ,2026-02-02,2026-03-01,{LAST}",
    )

    assert counts(report) == (1, 0, 0, 2)
    assert {p.column for p in report.problems} == {"successor"}
    assert f"{LAST} -> {INFY} -> {NEXT} -> {LAST}" in report.problems[1].problem
    assert "the table of instruments, NSE A" in report.problems[1].problem


def test_two_successors_of_one_isin_are_refused(imports: Imports) -> None:
    """In a file both rows are, against the table the new one; both rows of a correction stand in one file."""
    nse, bse = f"NSE,A,{INFY},EQ,2026-01-01,2026-01-13,", f"BSE,A,{INFY},A,2026-01-01,2026-01-13,"
    assert counts(imports("instruments", HEAD, nse + NEXT, bse + LAST)) == (0, 0, 0, 2)
    assert counts(imports("instruments", HEAD, nse + NEXT)) == (1, 0, 0, 0)
    assert counts(imports("instruments", HEAD, bse + LAST)) == (0, 0, 0, 1)
    assert counts(imports("instruments", HEAD, nse + LAST, bse + LAST)) == (1, 1, 0, 0)


def test_a_successor_and_an_action_that_contradict_each_other_are_refused_either_way(imports: Imports) -> None:
    """Whichever comes second is refused and names the other; the same said twice is taken."""
    assert counts(imports("corporate-actions", ACTIONS, f"split,{INFY},{NEXT},2026-01-14,1,5")) == (1, 0, 0, 0)
    row = f"NSE,INFY,{INFY},EQ,2026-01-01,2026-01-13,"
    (problem,) = imports("instruments", HEAD, row + LAST).problems
    assert f"the split of 2026-01-14 says that {INFY} became {NEXT}" in problem.problem
    assert counts(imports("instruments", HEAD, row + NEXT)) == (1, 0, 0, 0)

    assert counts(imports("instruments", HEAD, f"NSE,TCS,{TCS},EQ,2026-01-01,2026-02-01,{LAST}")) == (1, 0, 0, 0)
    (problem,) = imports("corporate-actions", ACTIONS, f"merger,{TCS},{INFY},2026-02-02,1,2").problems
    assert (problem.column, "NSE TCS" in problem.problem) == ("new_isin", True)
    (problem,) = imports("corporate-actions", ACTIONS, f"merger,{LAST},{TCS},2026-02-02,1,2").problems
    assert "makes a circle" in problem.problem


def test_dates_that_do_not_meet_are_told(imports: Imports) -> None:
    """The table says that the old ISIN lived on after the ex-date: taken, with a note."""
    imports("corporate-actions", ACTIONS, f"split,{INFY},{NEXT},2026-01-14,1,5")

    report = imports("instruments", HEAD, f"NSE,INFY,{INFY},EQ,2026-01-01,2026-01-20,{NEXT}")

    assert any("not before the split of 2026-01-14" in note for note in report.notes)


# ---------------------------------------------------------------- the series in a symbol


def test_a_symbol_written_with_its_series_is_the_same_share(imports: Imports) -> None:
    """In any series of shares: a move from EQ to BE changes neither the ISIN nor who finds it. A bond is another."""
    imports(
        "instruments",
        HEAD,
        f"NSE,IDEA,{INFY},EQ,2026-01-01,2026-01-13,",
        f"NSE,IDEA,{INFY},BE,2026-01-14,,",
        f"BSE,IDEA,{INFY},A,2026-01-01,,",
        f"NSE,PLAIN,{TCS},,2026-01-01,,",
    )
    written = ("IDEA", "IDEA-EQ", "IDEA-BE", "IDEA-BZ", "IDEA-N2", "PLAIN-EQ")
    days = (date(2026, 1, 13), date(2026, 1, 14))
    with imports.engine.connect() as connection:
        master = read_master(connection, listings=[("NSE", symbol) for symbol in written])
        found = isins_on(connection, [("NSE", symbol, day) for symbol in written for day in days])

    for day in days:
        known = [master.isin_at("NSE", symbol, day) for symbol in written]
        assert known == [INFY, INFY, INFY, INFY, None, None]
        assert known == [found["NSE", symbol, day] for symbol in written]


def test_a_listing_of_its_own_goes_before_a_symbol_with_a_series(imports: Imports) -> None:
    """Where the table itself lists IDEA-BE, nothing is derived from IDEA."""
    imports("instruments", HEAD, f"NSE,IDEA,{INFY},EQ,2026-01-01,,")
    imports("instruments", HEAD, f"NSE,IDEA-BE,{TCS},,2026-01-01,,")

    with imports.engine.connect() as connection:
        assert read_master(connection).isin_at("NSE", "IDEA-BE", date(2026, 1, 14)) == TCS
    assert {row.symbol for row in imports.all("select symbol from spellings")} == {
        f"IDEA-{series}" for series in ("EQ", "BZ", "SM", "ST", "SZ")
    }


def test_a_series_told_later_names_the_lines_that_wrote_it(imports: Imports) -> None:
    """Until then the symbol stands for itself; then its transaction is judged anew under the ISIN."""
    imports("instruments", HEAD, f"NSE,IDEA,{INFY},,2026-01-01,,")
    head = "order_id,transaction_id,account,trade_date,exchange,symbol,side,quantity"
    imports("orders", head, f"A,TRX_{'a' * 32},acc,2026-01-14,NSE,IDEA-EQ,BUY,10")
    before = imports.all("select o.instrument, t.rev from our_lines o join transactions t using (txn)")

    imports("instruments", HEAD, f"NSE,IDEA,{INFY},EQ,2026-01-01,,")

    after = imports.all("select o.instrument, t.rev from our_lines o join transactions t using (txn)")
    assert [(row.instrument) for row in (*before, *after)] == ["NSE:IDEA-EQ", INFY]
    assert after[0].rev == before[0].rev + 1


# ---------------------------------------------------------------- holdings under a successor


def succeeded(told: Told) -> None:
    """INFY's ISIN ended on 13 January; nobody said in which ratio the new one came."""
    told.file("instruments", f"{HEAD}\nNSE,INFY,{INFY},EQ,2026-01-01,2026-01-13,{NEXT}\n")


def verdicts(told: Told) -> dict[str, tuple[object, ...]]:
    """By line of descent: bucket, what the books come to, what is shown."""
    query = text("select isin, bucket, internal, shown from holding_verdicts where account = :account")
    with told.engine.connect() as connection:
        rows = connection.execute(query, {"account": ACCOUNT}).all()
    return {row.isin: (row.bucket, row.internal, row.shown) for row in rows}


def test_holdings_go_on_under_the_successor_and_a_ratio_is_never_guessed(told: Told) -> None:
    """One line of descent; as nobody told the ratio, all of the difference is said to be unweighed."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": NEXT, "held": 500}])
    told.reconcile()
    assert set(verdicts(told)) == {INFY, NEXT}

    succeeded(told)

    assert verdicts(told) == {NEXT: ("ca-other", 100, 500)}
    assert told.parts() == {NEXT: {"ca-other": 400}}


def test_the_action_tells_the_ratio_that_the_successor_left_open(told: Told) -> None:
    """Both say the same line of descent; with the ratio both sides agree."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": NEXT, "held": 500}])
    succeeded(told)

    told.file("corporate-actions", f"{ACTIONS}\nsplit,{INFY},{NEXT},2026-01-14,1,5\n")

    assert verdicts(told) == {NEXT: ("matched", 500, 500)}


def test_as_many_under_two_isins_are_not_called_matched(told: Told) -> None:
    """A hundred old shares may be five hundred new ones: a finding without a difference says so."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": NEXT, "held": 100}])
    succeeded(told)

    assert verdicts(told) == {NEXT: ("ca-other", 100, 100)}
    query = text("select field, cause from findings where closed_at is null and name = 'ca-other'")
    with told.engine.connect() as connection:
        (finding,) = connection.execute(query).all()
    assert finding.field == "isin"
    assert f"{INFY} became {NEXT} on 2026-01-14" in finding.cause


def test_shares_that_are_all_under_the_old_isin_are_compared(told: Told) -> None:
    """Neither side has moved them yet: they are in the same units."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": INFY, "held": 100}])
    succeeded(told)

    assert verdicts(told) == {NEXT: ("matched", 100, 100)}


def test_before_its_day_a_successor_does_nothing(told: Told) -> None:
    """The old ISIN's last day is the day that is reconciled."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": INFY, "held": 100}])
    told.file("instruments", f"{HEAD}\nNSE,INFY,{INFY},EQ,2026-01-01,2026-01-14,{NEXT}\n")

    assert verdicts(told) == {INFY: ("matched", 100, 100)}


# ---------------------------------------------------------------- both sides of an order


def test_a_change_of_series_is_an_alias_and_no_other_instrument(imports: Imports) -> None:
    """Moved from EQ to BE that very day: the books still write EQ, the Gateway BE; matched, with a note."""
    imports("instruments", HEAD, f"NSE,IDEA,{INFY},EQ,2026-01-01,2026-11-19,", f"NSE,IDEA,{INFY},BE,2026-11-20,,")
    leg = a_leg("IDEA-BE")
    with imports.engine.begin() as connection:
        txn = a_transaction(connection)
        batch = a_batch(leg)
        store_webhook(connection, batch)
        store_snapshot(connection, txn, an_answer(batch))
        refresh(connection, txn=txn, now=NOON, rules=rules())
        our_line(connection, txn, leg, symbol="IDEA-EQ", instrument=INFY)
        reconcile(connection, txns=[txn], now=NOON, rules=rules())

    assert [row.instrument for row in imports.all("select instrument from their_lines")] == [INFY]
    assert [row.bucket for row in imports.all("select bucket from verdicts")] == ["matched"]
    assert [tuple(row) for row in imports.all("select name, ours, theirs from findings")] == [
        ("alias", "IDEA-EQ", "IDEA-BE")
    ]


def test_a_holding_without_isin_is_looked_up_anew_when_the_table_changes(told: Told) -> None:
    """It was in no table of instruments; the row that names it, series and all, has it reconciled at once."""
    told.positions({(ACCOUNT, INFY): 100})
    told.answer(ACCOUNT, [{"isin": None, "nseTicker": "INFY-BE", "held": 100}])
    told.reconcile()
    assert verdicts(told)["NSE:INFY-BE"][0] == "isin-unmapped"

    told.file("instruments", f"{HEAD}\nNSE,INFY,{INFY},EQ,2026-01-01,,\n")

    assert verdicts(told) == {INFY: ("matched", 100, 100)}
