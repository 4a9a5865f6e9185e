"""A simulated day: the same for a seed, complete in what it plants, true to itself."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from books.cells import check_digit
from recon.names import CLASS_OF
from simulator.company import ORDER_COLUMNS, orders_csv, orders_xlsx, transactions_csv
from simulator.day import BadDayError, Day
from simulator.orders import Batch, Leg
from simulator.plan import Plan, plan_day
from simulator.shares import SHARES, tick
from simulator.signing import Secrets, webhook_body

DAY = Day(date(2026, 11, 18))
SECRETS = Secrets(jwt="one", api="two")


def a_plan(seed: int = 1, transactions: int = 60) -> Plan:
    """A small day."""
    return plan_day(DAY, seed=seed, transactions=transactions, gateway="simulated")


def files_of(plan: Plan) -> tuple[bytes, ...]:
    """All files of a day."""
    registered = transactions_csv(plan.registrations(DAY.evening))
    return orders_csv(plan.lines), orders_xlsx(plan.lines, DAY), registered, plan.truth_json()


def bodies_of(plan: Plan) -> list[bytes]:
    """All webhooks of a day in their order."""
    return [webhook_body(post, SECRETS) for post in plan.posts]


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Two plans of one seed have the same posts and the same files; another seed has others."""
    assert files_of(a_plan()) == files_of(a_plan())
    assert bodies_of(a_plan()) == bodies_of(a_plan())
    assert bodies_of(a_plan(seed=2)) != bodies_of(a_plan())


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_day_of_sixty_plants_every_name(seed: int) -> None:
    """From 60 transactions on, each of the 29 names of order findings is in the truth."""
    planted = {finding["name"] for finding in findings_of(a_plan(seed))}
    assert planted == {
        "never-triggered", "open-order", "webhook-late", "webhook-missed", "webhook-differs", "books-behind",
        "awaiting-books", "stale-open", "out-of-order", "missing-internal", "missing-external", "ambiguous",
        "unplaced", "qty-requested", "qty-filled", "partial-residual", "overfill", "batch-sum", "price-in-tol",
        "price-out", "price-absent", "amount-sum", "side", "instrument", "account", "status-conflict",
        "unknown-enum", "regression", "batch-vs-lines",
    }  # fmt: skip
    assert planted <= set(CLASS_OF)


def test_a_large_day_plants_every_plot_once_per_five_hundred() -> None:
    """A day of 2,000 has each plot at least four times, and three quarters of it simply complete."""
    plots = Counter(story.plot for story in a_plan(transactions=2000).stories)
    assert min(plots.values()) >= 4
    assert 0.72 < plots["complete"] / 2000 < 0.8


@pytest.mark.parametrize("transactions", [1, 2, 7, 59])
def test_a_small_day_has_as_many_transactions_as_asked_for(transactions: int) -> None:
    """Below 60 there are fewer plots, never fewer transactions."""
    assert len(a_plan(transactions=transactions).stories) == transactions


def test_findings_are_unique_and_name_lines_that_exist() -> None:
    """Each triple of the truth is there once, and its line is an order id of the books or an exchange id."""
    plan = a_plan(transactions=500)
    triples = [(f["name"], f["transaction_id"], f["line"]) for f in findings_of(plan)]
    known: set[str | None] = {line.order_id for line in plan.lines}
    known |= {leg.exchange_id for story in plan.stories for p in story.pictures for leg in legs_of(p.batch)}
    assert len(set(triples)) == len(triples)
    assert {line for *_, line in triples} <= known | {None}


def test_ids_are_never_given_twice() -> None:
    """Transactions, batches, order ids and exchange ids are unique within their kind."""
    plan = a_plan(transactions=500)
    booked = [line.exchange_id for line in plan.lines if line.exchange_id]
    for ids in (
        [story.transaction_id for story in plan.stories],
        [story.batch_id for story in plan.stories if story.batch_id],
        [line.order_id for line in plan.lines],
        booked,
    ):
        assert len(set(ids)) == len(ids)


def test_posts_come_in_order_and_never_two_at_an_instant() -> None:
    """Each post has its own instant, and all lie between the start and the evening."""
    instants = [post.at for post in a_plan(transactions=2000).posts]
    assert instants == sorted(set(instants))
    assert DAY.start < instants[0]
    assert instants[-1] <= DAY.evening


def test_an_honest_webhook_says_what_the_api_says_then() -> None:
    """But for late placed webhooks and forgeries, body and API agree when it is posted."""
    for story in a_plan(transactions=500).stories:
        for post in story.posts:
            if post.kind == "completed" or (post.kind == "placed" and story.plot != "out-of-order"):
                said = [picture.batch for picture in story.pictures if picture.since <= post.at][-1]
                assert said == post.batch, story.plot


def test_the_truth_counts_the_webhooks() -> None:
    """Distinct bodies, less timestamp and checksum, are the accepted events; the rest are repeats."""
    plan = a_plan(transactions=500)
    accepted = [webhook_body(post, SECRETS) for post in plan.posts if post.expect == 200]
    distinct = {
        json.dumps({k: v for k, v in json.loads(b).items() if k not in {"timestamp", "checksum"}}) for b in accepted
    }
    events = plan.events()
    assert events == {
        "accepted": len(distinct),
        "repeats": len(accepted) - len(distinct),
        "refused": len(plan.posts) - len(accepted),
        "parked": sum(post.kind == "forged-unknown" for post in plan.posts),
    }


def test_amounts_carry_the_noise_of_binary_floats() -> None:
    """Some amount of a day has more places than money has, as the Gateway's have."""
    amounts = [json.loads(body, parse_float=str)["buyAmount"] for body in bodies_of(a_plan(transactions=500))]
    assert any(isinstance(amount, str) and len(amount.partition(".")[2]) > 6 for amount in amounts)


def test_the_workbook_says_what_the_csv_says() -> None:
    """Ids are text cells in the workbook, trade dates are dates, and every value is that of the CSV."""
    plan = a_plan()
    rows = list(csv.DictReader(io.StringIO(orders_csv(plan.lines).decode())))
    sheet = openpyxl.load_workbook(io.BytesIO(orders_xlsx(plan.lines, DAY))).active
    assert sheet is not None
    header, *cells = sheet.iter_rows(values_only=True)
    assert header == ORDER_COLUMNS
    assert len(cells) == len(rows)
    for row, line in zip(rows, cells, strict=True):
        found = dict(zip(ORDER_COLUMNS, line, strict=True))
        assert found["trade_date"] == datetime.fromisoformat(row["trade_date"])
        for name in ("order_id", "transaction_id", "exchange_order_id", "batch_id", "account"):
            assert found[name] == (row[name] or None)
        assert float(str(found["average_price"] or 0)) == float(row["average_price"] or 0)


def test_registrations_are_those_made_by_then() -> None:
    """At the close the file has no after-market order; in the evening it has every transaction."""
    plan = a_plan(transactions=500)
    assert all(made.created_at <= DAY.close for made in plan.registrations(DAY.close))
    assert len(plan.registrations(DAY.close)) < len(plan.registrations(DAY.evening)) == 500


def test_every_isin_has_its_check_digit_and_every_price_its_tick() -> None:
    """The shares are fit for an instrument master, and prices lie on the exchange's grid."""
    for share in SHARES:
        assert check_digit(share.isin[:-1]) == share.isin[-1]
        assert share.price % tick(share.price) == 0
    assert all(line.price is None or line.price % 5 in {0, 1} for line in a_plan(transactions=500).lines)


def test_a_weekend_is_refused() -> None:
    """A day on which nothing trades cannot be played; after a Friday comes a Monday."""
    with pytest.raises(BadDayError, match="choose a weekday"):
        Day(date(2026, 11, 21))
    assert Day(date(2026, 11, 20)).next_date == date(2026, 11, 23)


def test_indian_times_are_utc_instants() -> None:
    """09:00 in India is 03:30 UTC."""
    assert DAY.start == datetime(2026, 11, 18, 3, 30, tzinfo=UTC)


def test_the_simulator_imports_nothing_of_the_service() -> None:
    """Its modules import the standard library, PyJWT, XlsxWriter and each other."""
    ours = ("webhook", "inbox", "worker", "tieout", "gateway", "books", "recon", "console", "cli", "store", "config")
    for path in Path("simulator").glob("*.py"):
        for line in path.read_text().splitlines():
            words = line.split()
            if words[:1] in (["import"], ["from"]):
                assert words[1].split(".")[0] not in ours, f"{path}: {line}"


def findings_of(plan: Plan) -> list[dict[str, str]]:
    """The findings of the truth."""
    return list(json.loads(plan.truth_json())["findings"])


def legs_of(batch: Batch | None) -> list[Leg]:
    """The legs of a batch, none of None."""
    return list(batch.legs) if batch else []
