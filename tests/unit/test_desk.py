"""What the desk says about figures, depths and raw bytes, without a server."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from recon.names import CLASS_OF
from store.desk_events import EventFilter
from store.desk_queue import Units
from tieout.desk.breaks import used
from tieout.desk.broker import BrokerView, QueueDepth
from tieout.desk.events import narrowed
from tieout.desk.evidence import as_text, pretty
from tieout.desk.meanings import meaning, meanings
from tieout.desk.paging import BadCursorError, cut, read, written
from tieout.desk.queue import depths, ist_day
from tieout.desk.rupees import price, told

IDLE = Units(open=0, due=0, due_for_s=0, claimed=0, lapsed=0, followed=0, ask_due=0, next_ask_at=None, unjudged=0)


def _broker(waiting: int = 0, unacked: int = 0) -> BrokerView:
    return BrokerView(depths=(QueueDepth(queue="settle", waiting=waiting, unacked=unacked),))


def _units(**counts: int) -> Units:
    return Units(**{**{name: getattr(IDLE, name) for name in Units.__slots__}, **counts})


@pytest.mark.parametrize(
    ("units", "broker", "said"),
    [
        (_units(), _broker(), ""),
        (_units(open=3, due=3, due_for_s=5), _broker(), ""),
        (_units(open=3, claimed=1), _broker(waiting=1, unacked=1), ""),
        (_units(open=3, due=3, due_for_s=90), _broker(), "none in the broker"),
        (_units(open=1, claimed=1), _broker(), "workers hold no message"),
        (_units(open=1, claimed=1, lapsed=1), _broker(), "past the lease"),
        (_units(), _broker(waiting=4), "work that is done"),
        (_units(open=3, due=3, due_for_s=90), BrokerView(away="it cannot be reached"), ""),
    ],
)
def test_depths_that_do_not_fit_together_are_told_in_words(units: Units, broker: BrokerView, said: str) -> None:
    """Only a contradiction that the next seconds do not explain is a disagreement."""
    found = " ".join(depths(units, broker).disagreements)
    assert said in found
    assert bool(found) == bool(said)


def test_a_broker_that_is_away_has_no_depths_instead_of_zero() -> None:
    """Nothing known is not the same as nothing there."""
    found = depths(IDLE, BrokerView(away="it cannot be reached"))
    assert (found.waiting, found.unacked) == (None, None)


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (BrokerView(eviction="allkeys-lru"), "maxmemory-policy noeviction"),
        (BrokerView(append_only=False), "appendonly yes"),
        (BrokerView(memory_bytes=71, memory_max_bytes=100), "70 %"),
    ],
)
def test_settings_of_the_broker_that_endanger_messages_come_with_the_fix(view: BrokerView, said: str) -> None:
    """Eviction, no append-only file and a nearly full memory are each warned of by name."""
    assert any(said in warning for warning in view.warnings())


def test_a_well_kept_broker_is_not_warned_of() -> None:
    """What the server does not tell is no reason to warn either."""
    assert BrokerView(eviction="noeviction", append_only=True, memory_bytes=1, memory_max_bytes=0).warnings() == ()
    assert BrokerView().warnings() == ()


def test_a_day_is_the_indian_one() -> None:
    """Half past six in the evening UTC is already tomorrow in India."""
    start, end = ist_day(datetime(2026, 11, 20, 18, 31, tzinfo=UTC))
    assert start == datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
    assert end == datetime(2026, 11, 21, 18, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("difference", "tolerance", "percent"),
    [("0.005", "0.01", 50), ("-0.05", "0.01", 500), ("1", "0", None), ("1", None, None), (None, "1", None)],
)
def test_the_tolerance_used_is_a_share_of_it(
    difference: str | None, tolerance: str | None, percent: int | None
) -> None:
    """The sign of the difference does not matter; without a tolerance there is no share."""
    found = used(Decimal(difference) if difference else None, Decimal(tolerance) if tolerance else None)
    assert found == percent


def test_a_number_is_laid_out_as_it_was_written() -> None:
    """Float noise, exponents and trailing zeros in a body survive being made readable."""
    shown = pretty(b'{"buyAmount":1575.0900000000001,"n":1e2,"z":10.00,"deep":[-0.0]}')
    assert shown is not None
    assert all(text in shown for text in ("1575.0900000000001,", '"n": 1e2', '"z": 10.00', "-0.0"))


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"\xff", b"[" * 100_000, '{"a":"\ue000"}'.encode(), b'{"a":"\\uE000"}']
)
def test_what_is_no_json_is_shown_raw_only(body: bytes) -> None:
    """Laying out never fails and never garbles; the raw bytes are always there."""
    assert pretty(body) is None


def test_bytes_that_cannot_be_seen_are_escaped() -> None:
    """NUL, invalid UTF-8, text that turns direction and control characters cannot hide on a page."""
    assert as_text(b"a\x00\xff\xe2\x80\xae\x1b[2J\n\tb") == "a\\u0000\\xff\\u202e\\u001b[2J\n\tb"


def test_a_customers_token_is_not_shown() -> None:
    """A JSON Web Token in a stored body is cut to its beginning, raw and laid out."""
    body = b'{"authToken":"eyJhbGciOiJIUzI1NiJ9.eyJzbWFsbGNhc2UiOiJ4In0.c2lnbmF0dXJl-_x"}'
    for shown in (as_text(body), pretty(body) or ""):
        assert "c2lnbmF0dXJl" not in shown
        assert "eyJzbWFsbGNhc2UiOiJ4In0" not in shown
        assert "[token hidden]" in shown


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee", "event_id"),
        ("TRX_0123456789abcdef0123456789abcdef", "transaction_id"),
        ("65a1b2c3d4e5f60718293a4b", "batch_or_account"),
        ("anything else", "transaction_id"),
    ],
)
def test_what_is_typed_is_told_by_its_shape(typed: str, field: str) -> None:
    """One box takes every kind of id."""
    found = narrowed(EventFilter(), f" {typed} ")
    assert str(getattr(found, field)) == typed


def test_a_page_ends_where_there_is_no_next_one() -> None:
    """One row more than asked for tells that the list goes on."""
    assert cut([1, 2, 3], 2) == ((1, 2), 2)
    assert cut([1, 2], 2) == ((1, 2), None)


def test_a_cursor_that_nobody_gave_out_is_refused() -> None:
    """Its parts must be as many as were written."""
    assert read(written("a", 1), 2) == ["a", "1"]
    assert read(None, 2) is None
    with pytest.raises(BadCursorError, match="open the list again"):
        read("a", 2)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1512.5", "1,512.50"), ("0.050000", "0.05"), ("12.345600", "12.3456"), ("100000", "1,00,000.00")],
)
def test_a_price_keeps_all_its_places(value: str, shown: str) -> None:
    """At least two places, more when it has them, grouped the Indian way."""
    assert price(Decimal(value)) == shown


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("sell_amount", "79630.4", "79,630.40"),
        ("average_price", "1512.5", "1,512.50"),
        ("filled_quantity", "100000.000000", "1,00,000"),
        ("line", "BUY 7 ITC, filled 7", "BUY 7 ITC, filled 7"),
        ("status", None, ""),
        ("account", "NaN", "NaN"),
    ],
)
def test_a_findings_value_is_told_by_what_its_field_is(field: str, value: str | None, shown: str) -> None:
    """Rupees have two places, prices at least two, shares none that say nothing; words stay as they are."""
    assert told(field, value) == shown


def test_every_name_has_a_meaning_in_the_documentation() -> None:
    """The pages say about a name what docs/breaks.md says."""
    assert set(CLASS_OF) <= set(meanings())
    assert all(meaning(name) and "*" not in meaning(name) for name in CLASS_OF)
