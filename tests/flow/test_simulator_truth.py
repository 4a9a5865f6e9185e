"""The planted truth is what the pure rules find, no more and no less, from the very bytes of a day."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import jwt
import pytest

from config.calendar import exchange_calendar
from gateway.wire import read_details, read_webhook
from recon.history import fold
from recon.judge import judge
from recon.lines import trade_date_of
from recon.values import Case, Claim, Origin, OurLine, Policy, Snapshot, State, TheirLine
from simulator.access import Access
from simulator.api import Api
from simulator.clock import MovingClock
from simulator.company import orders_csv
from simulator.day import Day
from simulator.journal import Journal
from simulator.plan import Plan, plan_day
from simulator.serving import Request
from simulator.shares import SHARES
from simulator.signing import Secrets, webhook_body
from simulator.story import Story

DAY = Day(date(2026, 11, 18))
CALENDAR = exchange_calendar()
SECRETS = Secrets(jwt="jwt-secret-" * 6, api="api-secret-" * 6)
ISINS = {share.symbol: share.isin for share in SHARES}
CALL = timedelta(milliseconds=1)

Triple = tuple[str, str, str | None]


@pytest.mark.parametrize("seed", range(1, 4))
def test_the_rules_find_exactly_what_was_planted(seed: int, tmp_path: Path) -> None:
    """On a day of 150: every planted finding is made and nothing else, each transaction by itself."""
    plan = plan_day(DAY, seed=seed, transactions=150, gateway="simulated")
    books, journal = ours_of(plan), Journal(tmp_path / "log.jsonl")
    clock = MovingClock(tmp_path / "clock", DAY.start)
    found: set[Triple] = set()
    for story in plan.stories:
        found |= found_in(story, books.get(story.transaction_id, ()), journal, clock)
    journal.close()
    plots = {story.transaction_id: story.plot for story in plan.stories}
    planted = {(name, story.transaction_id, line) for story in plan.stories for name, line in story.findings}
    assert {(plots[t], n, line) for n, t, line in planted - found} == set(), "planted and not found"
    assert {(plots[t], n, line) for n, t, line in found - planted} == set(), "found and not planted"


def found_in(story: Story, ours: Sequence[OurLine], journal: Journal, clock: MovingClock) -> set[Triple]:
    """What judging that transaction at 20:05 says."""
    state = state_of(story, journal, clock)
    case = Case(
        gateway="simulated",
        transaction_id=story.transaction_id,
        origin=Origin.IMPORT,
        state=state,
        theirs=tuple(theirs_of(state)),
        ours=tuple(ours),
        claims=tuple(claims_of(story)),
        registered_at=story.created_at,
        expire_at=story.expire_at,
    )
    judged = judge(
        case, as_of=DAY.evening, policy=Policy(), calendar=CALENDAR, books_in=lambda day: day <= DAY.trade_date
    )
    return {(finding.name, story.transaction_id, finding.line) for finding in judged.all_findings()}


def state_of(story: Story, journal: Journal, clock: MovingClock) -> State:
    """The state after the API was asked at each change."""
    api = Api([story], gateway="simulated", clock=clock, access=Access(SECRETS, since=DAY.start), journal=journal)
    snapshots: list[Snapshot] = []
    for picture in story.pictures:
        clock.move(picture.since)
        for _ in range(1 + len(story.faults) * (not snapshots)):
            reply = api.answer(asking(story))
        assert reply is not None
        answer = read_details(reply.body, story.transaction_id)
        snapshots.append(Snapshot(asked_at=picture.since, answered_at=picture.since + CALL, answer=answer))
    return fold(snapshots)


def asking(story: Story) -> Request:
    """The question about that transaction, with good headers."""
    token = jwt.encode({"guest": True, "exp": int(DAY.evening.timestamp())}, SECRETS.jwt, "HS256")
    return Request(
        method="GET",
        path="/v1/simulated/engine/transactiondetails",
        query={"transactionId": [story.transaction_id]},
        headers={"x-gateway-secret": SECRETS.api, "x-gateway-authtoken": token},
    )


def theirs_of(state: State) -> Iterable[TheirLine]:
    """The Gateway's legs as lines of that state."""
    number = 0
    for batch in state.answer.batches:
        day = trade_date_of(batch, state.answer, CALENDAR, known_at=DAY.start)
        for leg in batch.legs:
            number += 1
            isin = ISINS[leg.symbol]
            yield TheirLine(line=number, batch_id=batch.batch_id, leg=leg, instrument=isin, trade_date=day)


def claims_of(story: Story) -> Iterable[Claim]:
    """What the accepted webhooks claim, each event once."""
    seen: set[str] = set()
    for order, post in enumerate(sorted(story.posts, key=lambda post: post.at)):
        if post.expect != 200 or post.transaction_id != story.transaction_id or post.content in seen:
            continue
        seen.add(post.content)
        account, _, batch = read_webhook(webhook_body(post, SECRETS))
        assert batch is not None
        yield Claim(
            event_id=str(order), received_at=post.at, asked_after=True, account=account, batch=batch, order=order
        )


def ours_of(plan: Plan) -> dict[str, list[OurLine]]:
    """The books as their file says them, by transaction."""
    found: dict[str, list[OurLine]] = {}
    rows = csv.DictReader(io.StringIO(orders_csv(plan.lines).decode()))
    for number, row in enumerate(rows, start=1):
        line = OurLine(
            line=number,
            order_id=row["order_id"],
            account=row["account"],
            trade_date=date.fromisoformat(row["trade_date"]),
            exchange=row["exchange"],
            symbol=row["symbol"],
            instrument=row["isin"],
            side=row["side"],
            quantity=Decimal(row["quantity"]),
            filled=Decimal(row["filled_quantity"]),
            average_price=Decimal(row["average_price"]) if row["average_price"] else None,
            status=row["status"].upper(),
            batch_id=row["batch_id"] or None,
            exchange_order_id=row["exchange_order_id"] or None,
            broker=row["broker"],
        )
        found.setdefault(row["transaction_id"], []).append(line)
    return found
