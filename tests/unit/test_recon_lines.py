"""A line by itself: key, facts, plainness, trade date; and the small rules on words, bounds and severity."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from recon.ends import ours_is_final
from recon.judge import plain_theirs
from recon.lines import IST, facts_of_ours, facts_of_theirs, key_of, plain_ours, plain_text, trade_date_of
from recon.scene import held
from recon.severity import Severity, sessions_between, severity
from recon.tolerance import amount_bound, rounding_bound
from recon.values import Answer, Batch, FindingClass, OurLine, Policy, State
from recon.words import is_amo
from tests.builders import DAY, NOON, Weekdays
from tests.tape import read

TAPE = """
    transaction COMPLETED
    batch B1 COMPLETED
    leg N1 BUY INFY 10/10 @ 1500.00 COMPLETE
    unplaced - BUY TCS 0/5 @ - ERROR
    books O1 N1 BUY INFY 10/10 @ 1500.00 COMPLETE
"""
CASE = read(TAPE).case()
OURS, THEIRS = CASE.ours[0], CASE.theirs[0]


def test_a_key_names_one_leg_within_its_transaction() -> None:
    """Any part that differs makes another key, and none runs into the next."""
    key = key_of("acme", "T1", "nse", "N1")

    assert key == key_of("acme", "T1", "NSE", "N1")
    assert len(key or b"") == 16
    assert key_of("acme", "T1", "NSE", None) is None
    assert len({key_of("acme", "T1N", "SE", "N1"), key_of("acme", "T1", "BSE", "N1"), key}) == 3


def test_facts_agree_however_the_figures_are_written() -> None:
    """Zeros at the end, the case of a broker and the price of nothing do not count."""
    written = replace(OURS, quantity=Decimal("10.000"), average_price=Decimal("1500.000000"), broker="KITE")

    assert facts_of_ours(written) == facts_of_ours(OURS) == facts_of_theirs(THEIRS, "A", "kite")


@pytest.mark.parametrize(
    "change",
    [
        {"instrument": "NSE:TCS"}, {"side": "SELL"}, {"account": "B"}, {"broker": "groww"}, {"quantity": Decimal(11)},
        {"filled": Decimal(9)}, {"average_price": Decimal("1500.01")}, {"status": "CANCELLED"}, {"status": "THAWED"},
    ],
)  # fmt: skip
def test_any_compared_field_changes_the_facts(change: dict[str, object]) -> None:
    """None may differ in a pair that is matched without looking."""
    assert facts_of_ours(replace(OURS, **change)) != facts_of_ours(OURS)


def test_without_a_status_a_whole_fill_means_complete() -> None:
    """So books without a status column tie out too."""
    assert facts_of_ours(replace(OURS, status=None)) == facts_of_ours(OURS)
    assert facts_of_ours(replace(OURS, status=None, filled=Decimal(3))) != facts_of_ours(OURS)


@pytest.mark.parametrize(
    ("change", "plain"),
    [
        ({}, True),
        ({"filled": Decimal(0), "average_price": None, "status": "REJECTED"}, True),
        ({"status": None}, True),
        ({"filled": None, "status": None}, False),
        ({"status": "PLACED"}, False),
        ({"status": "THAWED"}, False),
        ({"filled": Decimal(7)}, False),
        ({"filled": Decimal(12)}, False),
        ({"average_price": None}, False),
        ({"side": "HOLD"}, False),
        ({"exchange": "MCX"}, False),
    ],
)
def test_a_plain_line_raises_nothing_and_waits_for_nothing(change: dict[str, object], plain: bool) -> None:  # noqa: FBT001
    """At its end, filled whole or not at all, priced, in known words."""
    assert plain_ours(replace(OURS, **change)) is plain


def test_only_a_quiet_leg_of_a_quiet_batch_is_plain() -> None:
    """An unplaced leg never is, nor any leg while two answers disagree or none has come."""
    assert CASE.state is not None
    odd = replace(CASE.state.answer.batches[0], filled=Decimal(99), status="PARTIALLYPLACED")
    troubled = replace(CASE.state, answer=replace(CASE.state.answer, batches=(odd,)))

    def plain(state: State | None) -> dict[int, bool]:
        return plain_theirs(replace(CASE, state=state), policy=Policy(), calendar=Weekdays())

    assert plain(CASE.state) == {0: True, 1: False}
    assert plain(troubled) == plain(replace(CASE.state, settled=False)) == plain(None) == {0: False, 1: False}


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant by the clock of India."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=IST)


SATURDAY, MONDAY = DAY + timedelta(days=1), DAY + timedelta(days=3)


@pytest.mark.parametrize(
    ("created", "variety", "expected"),
    [
        (at(DAY, 10), "regular", DAY),
        (at(DAY, 15, 30), "regular", DAY),
        (at(DAY, 15, 31), "regular", MONDAY),
        (at(SATURDAY, 10), "regular", MONDAY),
        (at(DAY, 18), "amo", MONDAY),
        (at(DAY, 10), "amo", MONDAY),
        (at(DAY, 7), "AMO", DAY),
        (None, None, DAY),
    ],
)
def test_an_open_batch_belongs_to_the_session_it_can_be_filled_in(
    created: datetime | None, variety: str | None, expected: date
) -> None:
    """After the close the next one; an after-market order waits for an opening."""
    batch = Batch(batch_id="B1", status="PLACED", variety=variety, created_at=created)
    answer = Answer(transaction_id="T1", status="PROCESSING")

    assert trade_date_of(batch, answer, Weekdays(), known_at=NOON) == expected


def test_a_completed_batch_belongs_to_its_completion_in_india() -> None:
    """19:00 UTC is past midnight there."""
    batch = Batch(batch_id="B1", status="COMPLETED", completed_at=NOON.replace(hour=19))

    assert trade_date_of(batch, Answer(transaction_id="T1", status="COMPLETED"), Weekdays(), known_at=NOON) == SATURDAY


@pytest.mark.parametrize(
    ("status", "filled", "theirs", "final"),
    [
        ("COMPLETE", 10, 10, True), ("UNPLACED", 0, 0, True), ("PLACED", 0, 10, False), ("THAWED", 5, 5, None),
        ("PARTIAL", 5, 5, True), ("PARTIAL", 5, 6, False), (None, 5, 6, True), (None, 0, 0, True), (None, 0, 5, False),
        (None, None, 0, False),
    ],
)  # fmt: skip
def test_when_the_books_hold_an_end(
    status: str | None,
    filled: int | None,
    theirs: int,
    final: bool | None,  # noqa: FBT001
) -> None:
    """By their word; PARTIAL and no word at all once they agree; a fill speaks for itself."""
    line: OurLine = replace(OURS, status=status, filled=None if filled is None else Decimal(filled))

    assert ours_is_final(line, Decimal(theirs)) is final


def test_numbers_are_shown_as_people_write_them() -> None:
    """Without zeros at the end, and never in powers of ten."""
    assert [plain_text(Decimal(text)) for text in ("10", "100.000000", "1500.050000", "1E+3")] == [
        "10", "100", "1500.05", "1000",
    ]  # fmt: skip


def test_bounds_come_from_declared_places() -> None:
    """0.01 a share for two prices in paise; for a sum, half a paisa a share and half a paisa."""
    assert rounding_bound(Policy()) == Decimal("0.01")
    assert rounding_bound(Policy(price_places_ours=4)) == Decimal("0.00505")
    assert amount_bound(Decimal(10), Policy()) == Decimal("0.055")


def test_a_figure_never_outgrows_its_column() -> None:
    """What hostile quantities multiply to is cut, not refused."""
    assert held(Decimal(10) ** 28) == Decimal("99999999999999.999999")
    assert held(Decimal("1.0000005")) == Decimal("1.000000")


@pytest.mark.parametrize(
    ("name", "impact", "age", "expected"),
    [
        ("price-out", 999, 0, Severity.LOW),
        ("price-out", 1000, 0, Severity.MEDIUM),
        ("price-out", 10_000, 0, Severity.HIGH),
        ("price-out", 100_000, 0, Severity.CRITICAL),
        ("price-out", 5, 2, Severity.MEDIUM),
        ("price-out", 5, 5, Severity.HIGH),
        ("qty-filled", 5, 0, Severity.HIGH),
        ("side", 0, 0, Severity.CRITICAL),
    ],
)
def test_severity_is_the_highest_of_name_cost_and_age(name: str, impact: int, age: int, expected: Severity) -> None:
    """Bands in rupees and in sessions."""
    assert severity(name, kind=FindingClass.BREAK, impact_inr=Decimal(impact), age_sessions=age) is expected


def test_what_asks_for_nothing_is_info_and_what_is_explained_is_low() -> None:
    """Pending and notes; user-edited; and a fill on an unplaced line is critical."""
    nothing = Decimal(0)

    assert severity("open-order", kind=FindingClass.PENDING, impact_inr=nothing, critical=True) is Severity.INFO
    assert severity("unplaced", kind=FindingClass.BREAK, impact_inr=nothing, critical=True) is Severity.CRITICAL
    edited = severity("qty-requested", kind=FindingClass.BREAK, impact_inr=Decimal(10**6), cause="user-edited")
    assert edited is Severity.LOW


def test_age_is_counted_in_sessions() -> None:
    """A weekend makes nothing older."""
    calendar = Weekdays()

    assert sessions_between(DAY, SATURDAY, calendar) == 0
    assert sessions_between(DAY, MONDAY, calendar) == 1
    assert sessions_between(DAY, DAY + timedelta(days=60), calendar) == 5


def test_nothing_said_is_no_after_market_order() -> None:
    """A batch without a variety is a regular one."""
    assert (is_amo(None), is_amo("amo")) == (False, True)
