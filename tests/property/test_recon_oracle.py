"""The judge and a naive oracle, written apart from each other, agree on any case; and what holds for any case."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from recon.judge import judge, plain_theirs
from recon.lines import books_due_at, broker_of, facts_of_ours, facts_of_theirs, plain_ours
from recon.names import CLASS_OF, EXCLUDED, IN_TOLERANCE, MATCHED, PENDING, class_of
from recon.values import (
    Answer,
    Batch,
    Case,
    Claim,
    FindingClass,
    Judgement,
    Leg,
    Origin,
    OurLine,
    Policy,
    State,
    TheirLine,
)
from tests.builders import Weekdays
from tests.oracle import Oracle
from tests.recon_cases import ACCOUNT, EVENINGS, NOON, POLICIES, SmallMarket, cases
from tests.recon_twists import twisted

MANY = settings(max_examples=80, deadline=None)
SOME = settings(max_examples=25, deadline=None)
ANY = cases() | twisted() | twisted()
CALENDAR = Weekdays()
MARKET = SmallMarket()
PLAIN_POLICY = Policy()
EVENING = NOON + timedelta(hours=9)


def judged(case: Case, as_of: datetime = EVENING, policy: Policy = PLAIN_POLICY) -> Judgement:
    """Judge with books that are due at their hour."""
    return judge(
        case, as_of=as_of, policy=policy, calendar=CALENDAR, books_in=lambda day: _in(day, as_of, policy), market=MARKET
    )


def _in(day: date, as_of: datetime, policy: Policy) -> bool:
    return as_of >= books_due_at(day, policy)


def told(judgement: Judgement) -> tuple[object, object, object]:
    """What a judgement says, in the oracle's terms."""
    buckets = {("ours", v.ours): v.bucket for v in judgement.verdicts if v.ours is not None}
    buckets |= {("theirs", v.theirs): v.bucket for v in judgement.verdicts if v.theirs is not None}
    findings = {(f.name, f.line, f.field, f.waiting) for f in judgement.all_findings()}
    return buckets, findings, together_of(judgement)


def together_of(judgement: Judgement) -> set[frozenset[tuple[str, int]]]:
    """Which lines were found to be one order."""
    made: dict[object, set[tuple[str, int]]] = {}
    for place, v in enumerate(judgement.verdicts):
        lines = {("ours", v.ours), ("theirs", v.theirs)}
        made.setdefault(v.members or place, set()).update((side, line) for side, line in lines if line is not None)
    return {frozenset(lines) for lines in made.values()}


def unordered(judgement: Judgement) -> object:
    """What a judgement says, in no order."""
    return {repr(v) for v in judgement.verdicts}, {repr(f) for f in judgement.findings}, judgement.review_at


@MANY
@given(case=ANY, as_of=EVENINGS, policy=POLICIES)
def test_the_oracle_says_the_same(case: Case, as_of: datetime, policy: Policy) -> None:
    """Buckets, findings and pairs are those of the naive oracle, whatever is wrong with a transaction."""
    opinion = Oracle(case, as_of, policy, CALENDAR, lambda day: _in(day, as_of, policy), MARKET).opinion()

    assert told(judged(case, as_of, policy)) == (opinion.buckets, opinion.findings, opinion.together)


@SOME
@given(case=ANY, as_of=EVENINGS)
def test_every_line_lies_in_exactly_one_bucket(case: Case, as_of: datetime) -> None:
    """Nothing is lost and nothing counted twice, on either side, and every bucket is one that is known."""
    judgement = judged(case, as_of)
    breaks = {name for name, kind in CLASS_OF.items() if kind is FindingClass.BREAK}

    assert sorted(v.ours for v in judgement.verdicts if v.ours is not None) == sorted(o.line for o in case.ours)
    assert sorted(v.theirs for v in judgement.verdicts if v.theirs is not None) == sorted(t.line for t in case.theirs)
    assert {v.bucket for v in judgement.verdicts} <= breaks | {MATCHED, IN_TOLERANCE, PENDING} - {EXCLUDED}


@SOME
@given(case=ANY, chance=st.randoms(use_true_random=False))
def test_the_order_of_lines_and_webhooks_changes_nothing(case: Case, chance: Random) -> None:
    """Shuffled lines, and webhooks that keep their number, give the same judgement."""
    shuffled = replace(
        case,
        ours=tuple(chance.sample(case.ours, len(case.ours))),
        theirs=tuple(chance.sample(case.theirs, len(case.theirs))),
        claims=tuple(chance.sample(case.claims, len(case.claims))),
    )

    assert unordered(judged(shuffled)) == unordered(judged(case))


@SOME
@given(case=ANY, as_of=EVENINGS)
def test_judging_twice_says_the_same(case: Case, as_of: datetime) -> None:
    """The judgement depends on nothing but its arguments."""
    assert judged(case, as_of) == judged(case, as_of)


@MANY
@given(case=ANY, as_of=EVENINGS)
def test_time_alone_changes_a_judgement_at_its_review_and_not_before(case: Case, as_of: datetime) -> None:
    """Until `review_at` the judgement stays as it is, and at that instant it differs."""
    before = judged(case, as_of)
    review_at = before.review_at

    if review_at is None:
        assert told(judged(case, as_of + timedelta(days=400))) == told(before)
    else:
        assert review_at > as_of
        assert told(judged(case, review_at - timedelta(microseconds=1))) == told(before)
        assert told(judged(case, review_at)) != told(before)


@SOME
@given(case=ANY)
def test_plain_lines_with_equal_facts_are_matched(case: Case) -> None:
    """What the one statement in the database may pair without looking, the judge matches without a finding."""
    plain = plain_theirs(case, policy=Policy(), calendar=CALENDAR, market=MARKET)
    for verdict in judged(case).verdicts:
        pair = both(case, verdict.ours, verdict.theirs)
        if pair and plain[pair[1].line] and plain_ours(pair[0]) and equal_facts(case, *pair):
            assert (verdict.bucket, verdict.findings) == (MATCHED, ())


@SOME
@given(case=ANY)
def test_pairs_without_a_finding_are_plain_with_equal_facts(case: Case) -> None:
    """The judge agrees silently only where the statement would, but for what a side leaves out.

    Those are: an account, a broker or a status that one side does not state, a batch or
    transaction with a finding of its own, an unplaced leg that the books call unplaced, a word
    that names no end although the transaction has one, an order told in parts, a leg with an equal
    copy, and an after-market order booked on its eve.
    """
    plain = plain_theirs(case, policy=Policy(), calendar=CALENDAR, market=MARKET)
    judgement = judged(case)
    assume(case.state is not None and case.state.settled)
    for verdict in judgement.verdicts:
        pair = both(case, verdict.ours, verdict.theirs)
        silent = verdict.bucket == MATCHED and not verdict.findings and not verdict.members
        if pair and silent and not _left_out(case, judgement, *pair):
            assert plain[pair[1].line]
            assert plain_ours(pair[0])
            assert equal_facts(case, *pair)


def _left_out(case: Case, judgement: Judgement, ours: OurLine, theirs: TheirLine) -> bool:
    batch = batch_of(case, theirs)
    assert case.state is not None
    unstated = ours.status is None or not (case.state.answer.account and ours.broker)
    unstated = unstated or not broker_of(batch, case.state.answer) or ours.exchange != theirs.leg.exchange
    words = {ours.status, theirs.leg.status}
    elsewhere = any(finding.batch_id in (None, theirs.batch_id) for finding in judgement.findings)
    told_again = [line.leg for line in case.theirs].count(theirs.leg) > 1
    elsewhere = elsewhere or told_again or ours.trade_date != theirs.trade_date
    return bool(unstated or elsewhere or words & {"PLACED", "OPEN", "PARTIAL", "UNPLACED"})


@SOME
@given(case=ANY, as_of=EVENINGS)
def test_a_matched_pair_more_changes_nothing_else(case: Case, as_of: datetime) -> None:
    """A further batch of the same day that ties out adds its own verdict and leaves all others as they were."""
    assume(case.state is not None and case.state.answer.batches)
    assume(case.state.answer.status == "COMPLETED" and case.state.settled)  # type: ignore[union-attr]
    assume(all(batch.status not in ("PLACED", "OPEN") for batch in case.state.answer.batches))  # type: ignore[union-attr]
    before = judged(case, as_of)
    assert before.trade_date is not None
    after = judged(with_a_match(case, before.trade_date), as_of)

    assert told_lines(before) == told_lines(after, but=999)
    assert of_batches(before) == of_batches(after)


def of_batches(judgement: Judgement) -> set[str]:
    """The findings of batches and the transaction, but for the one that counts executed batches."""
    return {repr(finding) for finding in judgement.findings if finding.name != "dup-execution"}


def told_lines(judgement: Judgement, but: int | None = None) -> set[str]:
    """The verdicts as text, but for the one of that line of ours."""
    return {repr(verdict) for verdict in judgement.verdicts if but is None or verdict.ours != but}


def with_a_match(case: Case, day: date) -> Case:
    """The case with one more batch of that day, of a smallcase of its own, with its webhook and its line."""
    leg = Leg(
        placed=True, exchange="NSE", symbol="SBIN", side="BUY", quantity=Decimal(1), filled=Decimal(1),
        average_price=Decimal(9), status="COMPLETE", exchange_order_id="999",
    )  # fmt: skip
    batch = Batch(batch_id="B999", status="COMPLETED", iscid="I999", label="BUY", legs=(leg,))
    theirs = TheirLine(line=999, batch_id="B999", leg=leg, instrument="ISIN:SBIN", trade_date=day)
    ours = OurLine(
        line=999, order_id="O999", account=ACCOUNT, trade_date=theirs.trade_date, exchange="NSE", symbol="SBIN",
        instrument="ISIN:SBIN", side="BUY", quantity=Decimal(1), filled=Decimal(1), average_price=Decimal(9),
        status="COMPLETE", exchange_order_id="999",
    )  # fmt: skip
    claim = Claim(event_id="E999", received_at=NOON - timedelta(days=1), asked_after=True, account=None, batch=batch)
    assert case.state is not None
    answer = replace(case.state.answer, batches=(*case.state.answer.batches, batch))
    return replace(
        case,
        state=replace(case.state, answer=answer),
        theirs=(*case.theirs, theirs),
        ours=(*case.ours, ours),
        claims=(*case.claims, claim),
    )


@SOME
@given(case=ANY)
def test_a_difference_is_ours_less_theirs(case: Case) -> None:
    """Where a finding has a difference, its two values say it; a pending one never counts as a break."""
    for finding in judged(case).all_findings():
        if finding.difference and finding.ours and finding.theirs and finding.name != "unplaced":
            assert finding.difference == Decimal(finding.ours) - Decimal(finding.theirs)
        assert not (finding.waiting and class_of(finding) is FindingClass.BREAK)


SYMMETRIC = {"qty-requested", "qty-filled", "partial-residual", "overfill", "price-in-tol", "price-out"}
SYMMETRIC |= {"price-absent", "side", "instrument", "status-conflict"}


@SOME
@given(case=ANY)
def test_swapping_the_sides_of_a_pair_turns_its_differences_round(case: Case) -> None:
    """Neither side is favoured: of two lines at their end the same is found, the other way round."""
    for verdict in judged(case).verdicts:
        pair = both(case, verdict.ours, verdict.theirs)
        if pair and pair[0].status in ENDS and pair[1].leg.status in ENDS and pair[1].leg.placed:
            here, there = found_of(*pair), found_of(*swapped(*pair))
            assert here == {(name, mine, other) for name, other, mine in there}


ENDS = {"COMPLETE", "CANCELLED", "REJECTED", "ERROR", "CANCELLED AMO"}


def found_of(ours: OurLine, theirs: TheirLine) -> set[tuple[str, str | None, str | None]]:
    """The symmetric findings of a pair on its own, with both values."""
    batch = Batch(batch_id="B", status="FIXED", legs=(replace(theirs.leg, exchange_order_id="1"),))
    answer = Answer(transaction_id="TRX_1", status="COMPLETED", batches=(batch,))
    case = Case(
        gateway="acme",
        transaction_id="TRX_1",
        origin=Origin.REGISTRATION,
        state=State(answer=answer),
        theirs=(replace(theirs, batch_id="B", leg=batch.legs[0]),),
        ours=(replace(ours, batch_id=None, exchange=theirs.leg.exchange, exchange_order_id="1"),),
    )
    found = (finding for verdict in judged(case).verdicts for finding in verdict.findings)
    return {(f.name, f.ours, f.theirs) for f in found if f.name in SYMMETRIC}


def swapped(ours: OurLine, theirs: TheirLine) -> tuple[OurLine, TheirLine]:
    """What ours says as theirs, and the reverse."""
    leg = theirs.leg
    mine = replace(
        ours, instrument=theirs.instrument, symbol=leg.symbol, side=leg.side, quantity=leg.quantity,
        filled=leg.filled, average_price=leg.average_price, status=leg.status,
    )  # fmt: skip
    other = replace(
        leg, symbol=ours.symbol, side=ours.side, quantity=ours.quantity, filled=ours.filled or Decimal(0),
        average_price=ours.average_price, status=ours.status or "",
    )  # fmt: skip
    return mine, replace(theirs, instrument=ours.instrument, leg=other)


def both(case: Case, ours: int | None, theirs: int | None) -> tuple[OurLine, TheirLine] | None:
    """The two lines of a verdict, None unless it is a pair."""
    if ours is None or theirs is None:
        return None
    mine = {line.line: line for line in case.ours}
    other = {line.line: line for line in case.theirs}
    return mine[ours], other[theirs]


def batch_of(case: Case, line: TheirLine) -> Batch:
    """The batch of a leg."""
    assert case.state is not None
    return next(batch for batch in case.state.answer.batches if batch.batch_id == line.batch_id)


def equal_facts(case: Case, ours: OurLine, theirs: TheirLine) -> bool:
    """As the database compares them."""
    assert case.state is not None
    answer = case.state.answer
    stated = facts_of_theirs(theirs, answer.account, broker_of(batch_of(case, theirs), answer))
    return facts_of_ours(ours) == stated
