"""Every shape of holdings, investments and mutual funds that is known, recorded under tests/samples."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gateway.client import GatewayBusy, GatewayOurs, GatewayRefused, GatewayUnclear, Reply
from gateway.consent import NeedsConsent, read_reply
from gateway.fields import Nonsense, WireError
from gateway.funds import Funds, read_funds
from gateway.holdings import Holdings, read_holdings
from gateway.investments import Investments, read_investments
from gateway.lenient import NotUnderstood

SAMPLES = Path(__file__).parents[1] / "samples"
ACCOUNT = "5f0321b5f3743c31d95abd35"
AT = datetime(2024, 1, 15, 10, 31, tzinfo=UTC)


def _holdings(name: str) -> Holdings:
    return read_holdings((SAMPLES / "holdings" / name).read_bytes())


def _investments(name: str) -> Investments:
    return read_investments((SAMPLES / "investments" / name).read_bytes())


def _funds(name: str) -> Funds:
    return read_funds((SAMPLES / "mf-webhook" / name).read_bytes())


def _listed(found: tuple[NotUnderstood, ...]) -> set[tuple[str, str, int]]:
    return {(each.what, each.path, each.count) for each in found}


def values(*found: object) -> tuple[object, ...]:
    """Values to be compared with whole numbers."""
    return found


def _reply(status: int, body: bytes = b"{}") -> Reply:
    return Reply(http_status=status, body=body, took_ms=1)


def test_version_2_is_read_whole() -> None:
    """Every quantity of a security, both exchanges, and nothing is left over."""
    found = _holdings("v2.json")
    assert (found.version, found.account, found.broker, found.updating) == ("v2", ACCOUNT, "kite", False)
    assert (found.snapshot_date, found.last_update, found.refused, found.empty) == (AT, AT, 0, False)
    axis, other = found.lines
    assert (axis.isin, axis.nse_ticker, axis.bse_ticker) == ("INE238A01034", "AXISBANK", "AXISBANK")
    assert values(axis.held, axis.t1, axis.nse_quantity, axis.bse_quantity) == (10, 3, 1, 0)
    assert values(axis.transactable, axis.smallcase, axis.collateral) == (11, 4, 2)
    assert (axis.suspended_nse, axis.suspended_bse) == (False, True)
    assert values(other.nse_ticker, other.bse_ticker, other.bse_quantity) == (None, "OTHERCO", -2)
    assert (other.held_average, other.collateral, other.suspended_nse) == (None, None, None)
    assert found.not_understood == ()


def test_float_noise_in_a_price_is_taken_away() -> None:
    """401.20000000000005 is 401.2, and never was a float."""
    assert _holdings("v2.json").lines[0].held_average == Decimal("401.2")
    assert _holdings("v2.json").smallcases[0].current_value == Decimal("1575.09")


def test_version_1_is_told_by_its_shape() -> None:
    """Securities that are an object; instants as epoch seconds and milliseconds; one exchange a row."""
    found = _holdings("v1.json")
    assert (found.version, found.snapshot_date, found.last_update, found.updating) == ("v1", AT, AT, None)
    assert [values(x.nse_ticker, x.bse_ticker, x.held) for x in found.lines] == [
        ("AXISBANK", None, 6),
        (None, "OTHERCO", 5),
    ]
    assert found.not_understood == ()


def test_private_smallcases_come_as_list_object_or_statistics() -> None:
    """Each of the three shapes gives its lines."""
    named = [(s.access, s.name, s.current_value) for s in _holdings("v2.json").smallcases]
    assert named == [("public", "A smallcase", Decimal("1575.09")), ("private", "My own", 100)]
    assert [(s.access, s.name, s.current_value) for s in _holdings("v1.json").smallcases] == [
        ("private", None, Decimal("250.5"))
    ]
    assert [(s.access, s.name) for s in _holdings("webhook.json").smallcases] == [("private", "My own")]


def test_mutual_funds_of_the_api_are_read() -> None:
    """Units and prices exactly, the row whole beside them."""
    (fund,) = _holdings("v2.json").funds
    assert (fund.entry, fund.folio, fund.isin, fund.quantity) == (
        "holding",
        "9100012345/67",
        "INF000K01AB1",
        Decimal("123.4567"),
    )
    assert (fund.last_price, fund.dated, fund.pnl, fund.xirr) == (
        Decimal("50.5"),
        date(2024, 1, 12),
        Decimal("663.9"),
        Decimal("11.25"),
    )
    assert fund.raw["averagePrice"] == "45.1234"


def test_a_bad_row_refuses_itself_alone_and_all_else_unknown_is_listed() -> None:
    """No identity, no number, no quantity, no object; unknown keys once, with a count."""
    found = _holdings("odd-rows.json")
    assert [values(x.isin, x.held, x.held_average) for x in found.lines] == [
        ("INE238A01034", 10, None),
        ("INE238A01034", 1, 1),
    ]
    assert found.refused == 5
    refused = [each.why for each in found.not_understood if each.what == "refused-row"]
    assert refused == [
        "it names no ISIN and no ticker",
        "quantity is no number",
        "it names no quantity",
        "no object",
        "it names no smallcase",
    ]
    assert _listed(found.not_understood) >= {
        ("unknown-key", "securities[].lotSize", 2),
        ("unknown-key", "securities[].positions.mcx", 1),
        ("unknown-key", "smallcases.shared", 1),
        ("unknown-key", "region", 1),
        ("unreadable", "securities[].holdings.averagePrice", 1),
        ("unreadable", "lastUpdate", 1),
        ("remark", "snapshotDate", 1),
        ("remark", "securities[].isin", 1),
    }


def test_an_instant_without_a_zone_is_taken_as_the_earlier_one() -> None:
    """A date alone is the end of that Indian day, and remarked on."""
    assert _holdings("odd-rows.json").snapshot_date == datetime(2024, 1, 15, 18, 30, tzinfo=UTC)


def test_an_answer_may_say_that_it_is_still_updating() -> None:
    """It is an answer: not empty of meaning."""
    found = _holdings("updating.json")
    assert (found.updating, found.lines, found.empty) == (True, (), True)


def test_a_holdings_webhook_is_read_by_the_same_reader() -> None:
    """Its notes are remarked on; signature and ids are no holdings."""
    found = _holdings("webhook.json")
    assert values(found.account, [x.held for x in found.lines]) == (ACCOUNT, [10])
    assert _listed(found.not_understood) == {("remark", "notes", 1)}


@pytest.mark.parametrize("name", ["forbidden.json", "forbidden-text.json"])
@pytest.mark.parametrize("status", [200, 400, 403, 422])
def test_missing_consent_is_a_state_of_its_own(name: str, status: int) -> None:
    """As a list or as text, with 403 or without."""
    with pytest.raises(NeedsConsent):
        read_reply(_reply(status, (SAMPLES / "holdings" / name).read_bytes()), read_holdings)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"message": "Forbidden"}'])
def test_a_403_without_words_is_missing_consent(body: bytes) -> None:
    """The documentation says no more of it, and nobody's keys are doubted for it."""
    with pytest.raises(NeedsConsent):
        read_reply(_reply(403, body), read_holdings)


def test_a_403_that_blames_our_keys_is_our_fault() -> None:
    """Then everything stops, as for orders."""
    with pytest.raises(GatewayOurs):
        read_reply(_reply(403, (SAMPLES / "holdings" / "forbidden-keys.json").read_bytes()), read_holdings)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b"{}", GatewayOurs),
        (429, b"{}", GatewayBusy),
        (503, b"", GatewayBusy),
        (404, b"{}", GatewayRefused),
        (422, b"{}", GatewayRefused),
        (204, b"", GatewayUnclear),
        (200, b"{}", GatewayUnclear),
        (200, b'{"success":true,"data":{}}', GatewayUnclear),
        (200, b'{"success":true,"data":{"hello":1}}', GatewayUnclear),
        (200, b'{"success":false,"errors":["out of order"]}', GatewayUnclear),
        (200, b'{"success":false,"errors":["Invalid JWT"]}', GatewayOurs),
        (200, b"<html>", Nonsense),
        (200, b'{"data":{"securities":"none"}}', Nonsense),
        (200, b'{"data":"none"}', Nonsense),
    ],
)
def test_every_other_reply_says_what_to_do(status: int, body: bytes, expected: type[Exception]) -> None:
    """As for orders: ask again, stop, or give up."""
    with pytest.raises(expected):
        read_reply(_reply(status, body), read_holdings)


def test_investments_come_in_several_shapes() -> None:
    """Public and private apart, one list, none."""
    found = _investments("public-private.json")
    assert [(x.access, x.name, x.current_value) for x in found.lines] == [
        ("public", "A smallcase", Decimal("1575.09")),
        ("private", "My own", 100),
    ]
    assert found.lines[0].constituents == ({"ticker": "AXISBANK", "shares": "4.000000", "average_price": "400.500000"},)
    assert _listed(found.not_understood) == {("unknown-key", "public[].currentConfig.constituents[].lot", 1)}
    assert [x.scid for x in _investments("list.json").lines] == ["SCMO_0001"]
    assert _investments("empty.json").lines == ()
    (total,) = _investments("aggregated.json").lines
    assert values(total.access, total.current_value, total.total_returns) == ("all", Decimal("1575.09"), -25)
    (each,) = _investments("each.json").lines
    assert values(each.iscid, each.current_value, len(each.constituents)) == ("65a5012345678901234567aa", 1, 1)
    assert _investments("aggregated.json").not_understood == _investments("each.json").not_understood == ()


def test_a_mutual_fund_webhook_is_read_wherever_its_rows_lie() -> None:
    """Holdings and transactions within the envelope; what is not understood is listed, the row kept whole."""
    found = _funds("envelope.json")
    held, traded = found.lines
    assert (held.entry, held.folio, held.isin, held.quantity, held.amount) == (
        "holding",
        "9100012345/67",
        "INF000K01AB1",
        Decimal("123.4567"),
        Decimal("6234.56"),
    )
    assert (held.last_price, held.dated, held.raw["kycStatus"]) == (Decimal("50.5"), date(2024, 1, 12), "OK")
    assert (traded.entry, traded.folio, traded.quantity, traded.amount, traded.words) == (
        "transaction",
        "910001234567",
        Decimal("10.5"),
        Decimal("525.25"),
        "Purchase",
    )
    assert found.refused == 1
    assert _listed(found.not_understood) == {
        ("unknown-key", "data.payload.dtSummary[].lockIn", 1),
        ("refused-row", "data.payload.dtSummary[]", 1),
    }


def test_a_mutual_fund_webhook_without_envelope_is_read() -> None:
    """Names are told without regard to case and spaces."""
    (line,) = _funds("flat.json").lines
    assert values(line.folio, line.fund, line.quantity, line.last_price) == (
        "1",
        "A liquid fund",
        1,
        Decimal("1000.1234"),
    )


def test_a_mutual_fund_webhook_of_unknown_keys_is_no_error() -> None:
    """It has no lines, and what it holds is listed."""
    found = read_funds(b'{"summary": {"portfolio": [{"x": 1}]}, "transactionId": "TRX_1"}')
    assert (found.lines, found.refused) == ((), 0)
    assert _listed(found.not_understood) == {("unreadable", "summary.portfolio", 1), ("remark", "", 1)}


@pytest.mark.parametrize("read", [read_holdings, read_investments, read_funds])
@pytest.mark.parametrize(
    "body",
    [
        b'{"securities":' + b"[" * 500 + b"]" * 500 + b"}",
        b'{"summary":' + b'{"data":' * 400 + b"1" + b"}" * 400 + b"}",
        b'{"securities":[{"isin":"\\ud800","holdings":{"quantity":1}}],"\\u0000":"\\u0000"}',
        b'{"smallcases":{"public":[{"name":"x","stats":[],"constituents":[[]]}]}}',
        b'{"mutualFunds":[{"folio":true,"quantity":1}],"investments":{"public":5}}',
        b'{"securities":[{"isin":"X","holdings":{"quantity":1e99}}]}',
    ],
)
def test_no_body_breaks_a_reader(read: object, body: bytes) -> None:
    """It is read, or refused as any bad answer is: nothing else is raised."""
    with suppress(WireError):
        assert read(body)  # type: ignore[operator]
