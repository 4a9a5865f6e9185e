"""What a call leads to, each written in one database transaction under the claim's fence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from config.clock import since_start
from gateway.client import GatewayError, Reply
from gateway.fields import Nonsense, WireError
from inbox import units
from inbox.decide import GiveUp, RetryIn
from inbox.units import Call, Claim
from store.beside import judge_anew, leave_to_the_judge
from store.holding_units import fetch_imported
from store.snapshots import Kept, keep_answers
from store.units import Again, Finished
from tieout.accounts import learn
from tieout.alert import alert
from tieout.breaker import gateway_answers, stop_gateway
from tieout.follow import AT_ITS_END, UNKNOWN, Plan, Standing, after_parking, next_ask, standings_of
from tieout.reconcile import reconcile
from tieout.shop import Shop
from tieout.state import refresh

EXCERPT: Final = 1500


@dataclass(frozen=True, slots=True)
class Bug:
    """An error of our own: the unit is tried again a few times, then parked."""

    kind: str = "error"
    retry_after: timedelta | None = None


Failed = GatewayError | WireError | Bug


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the order details said of a transaction, between which moments of this process's clock."""

    reply: Reply
    asked: timedelta
    answered: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A question that was answered, not yet written."""

    claim: Claim
    reply: Reply
    mark: str
    asked_on: datetime  #: domain's clock
    answered: timedelta  #: when, by this process's clock that only goes forward
    lacks_orders: bool = False  #: COMPLETED without a batch: the order details may name them
    orders: Orders | None = None
    unasked: bool = False  #: the order details were wanted, and there was no turn to ask for them


def write_answers(connection: Connection, *, shop: Shop, answers: Sequence[Answered]) -> list[Claim]:
    """Everything that follows from these answers, and the end of their events.

    Claims that are no longer ours are left out, and come back.
    """
    held = units.hold(connection, [each.claim for each in answers])
    ours = sorted((each for each in answers if each.claim.txn in held), key=lambda each: each.claim.txn)
    if ours:
        standings = _take_in(connection, shop, ours)
        endings = [_ending(shop, each, standings[each.claim.txn]) for each in ours]
        units.finish(connection, endings, pace=shop.pace, worker=shop.worker)
        _tell_given_up(connection, endings)
        gateway_answers(connection, *(each.claim for each in ours))
    return [each.claim for each in answers if each.claim.txn not in held]


def absent(connection: Connection, *, shop: Shop, claim: Claim, reply: Reply, words: str) -> None:
    """The API does not know it: kept, parked, told; no line is made. Raises `ClaimLostError`.

    Once it was known, absence proves nothing: the answer is kept, and it is asked for again later.
    """
    units.hold_one(connection, claim)
    now = shop.clock.now()
    answer = Answered(claim=claim, reply=reply, mark="absent", asked_on=now, answered=since_start())
    standing = _take_in(connection, shop, [answer])[claim.txn]
    if standing.known:
        units.finish(connection, [_ending(shop, answer, standing)], pace=shop.pace, worker=shop.worker)
    else:
        _park(connection, claim, UNKNOWN, reply=reply, detail=words, plan=_plan(shop, standing, now), now=now)
    gateway_answers(connection, claim)


def failed(connection: Connection, *, shop: Shop, claim: Claim, error: Failed, reply: Reply | None, words: str) -> None:
    """No answer: wait or park, as `decide` says; some failures stop the whole gateway for a while.

    Raises `ClaimLostError`.
    """
    decision = units.after(connection, claim, error)
    detail = _detail(words, reply)
    if isinstance(decision, RetryIn):
        pause = stop_gateway(connection, claim, error, words, reply=reply, txn=claim.txn) or decision.pause
        retry = RetryIn(pause, decision.reason)
        units.wait(connection, claim, retry, call=_call(reply), detail=detail, pace=shop.pace)
    else:
        units.hold_one(connection, claim)
        _give_up(connection, shop, claim, decision, reply, detail)


def _take_in(connection: Connection, shop: Shop, answers: Sequence[Answered]) -> dict[int, Standing]:
    """Keep the answers and derive what follows; the very same answer again changes no state."""
    now = shop.clock.now()
    marks = keep_answers(connection, kind="details", answers=[_details(each) for each in answers], known_at=now)
    if orders := [kept for each in answers if (kept := _orders(each))]:
        keep_answers(connection, kind="orders", answers=orders, known_at=now)
        marks |= dict.fromkeys((kept.txn for kept in orders), "news")
    txns = [each.claim.txn for each in answers]
    same = [txn for txn in txns if marks[txn] == "same"]
    stand = {t: s for t, s in standings_of(connection, same).items() if _stands(s)} if same else {}
    readings = {
        txn: refresh(connection, txn=txn, now=now, rules=shop.rules).reading for txn in txns if txn not in stand
    }
    # What a webhook said is compared with the state even if that stands still.
    judged = [each.claim.txn for each in answers if each.claim.events or each.claim.txn in readings]
    if heard := [each.claim.txn for each in answers if each.claim.events]:
        leave_to_the_judge(connection, txns=heard)
    if judged:
        learn(connection, txns=judged, now=now)
        reconcile(connection, txns=judged, now=now, rules=shop.rules, readings=readings)
    standings = standings_of(connection, txns)
    if imported := [txn for txn in judged if standings[txn].imported]:
        fetch_imported(connection, txns=imported, now=now)
    return standings


def _stands(standing: Standing) -> bool:
    """Whether the very same answer again changes nothing; not if time alone may have ended it."""
    return standing.settled and (standing.final or standing.status != "INITIALIZED")


def _details(answer: Answered) -> Kept:
    return Kept(
        txn=answer.claim.txn,
        asked_at=answer.claim.asked_at,
        answered_at=answer.claim.instant(answer.answered),
        http_status=answer.reply.http_status,
        body=answer.reply.body,
        mark=answer.mark,
    )


def _orders(answer: Answered) -> Kept | None:
    if answer.orders is None:
        return None
    return Kept(
        txn=answer.claim.txn,
        asked_at=answer.claim.instant(answer.orders.asked),
        answered_at=answer.claim.instant(answer.orders.answered),
        http_status=answer.orders.reply.http_status,
        body=answer.orders.reply.body,
    )


def _ending(shop: Shop, answer: Answered, standing: Standing) -> Finished:
    plan = Plan(answer.asked_on) if answer.unasked else _plan(shop, standing, answer.asked_on)
    told_by = "webhook" if answer.claim.events else "following"
    return units.ending(
        answer.claim,
        call=_call(answer.reply),
        ask_at=plan.ask_at,
        given_up=plan.given_up,
        found_by=told_by if plan.at_its_end else None,
        now=shop.clock.now(),
    )


def _give_up(
    connection: Connection, shop: Shop, claim: Claim, decision: GiveUp, reply: Reply | None, detail: str
) -> None:
    """Park it, and follow it session by session; not if it had come to its end."""
    now, standing = shop.clock.now(), standings_of(connection, [claim.txn])[claim.txn]
    plan = _plan(shop, standing, now)
    if plan != AT_ITS_END:
        plan = after_parking(standing, decision.reason, now=now, calendar=shop.rules.calendar)
    _park(connection, claim, decision.reason, reply=reply, detail=detail, plan=plan, now=now)
    if decision.reason == Nonsense.kind:  # what came cannot be read: that is for the judge to say
        judge_anew(connection, txn=claim.txn)
    gateway_answers(connection, claim)


def _park(
    connection: Connection, claim: Claim, reason: str, *, reply: Reply | None, detail: str, plan: Plan, now: datetime
) -> None:
    again = Again(ask_at=plan.ask_at, given_up=plan.given_up, now=now)
    units.park(connection, claim, reason, call=_call(reply), detail=detail, again=again)
    alert(connection, reason, gateway=claim.unit.gateway, subject=claim.unit.transaction_id, detail=detail)


def _tell_given_up(connection: Connection, endings: Sequence[Finished]) -> None:
    for ending in endings:
        if ending.given_up:
            words = f"{ending.given_up}: followed no more; `tieout following take-up {ending.transaction_id}` undoes it"
            alert(connection, "given-up", gateway=ending.gateway, subject=ending.transaction_id, detail=words)


def _plan(shop: Shop, standing: Standing, asked_on: datetime) -> Plan:
    return next_ask(standing, asked_on=asked_on, grace=shop.rules.policy.webhook_grace, calendar=shop.rules.calendar)


def _call(reply: Reply | None) -> Call:
    return Call(http_status=reply.http_status, took_ms=reply.took_ms) if reply else Call()


def _detail(words: str, reply: Reply | None) -> str:
    came = reply.body[:EXCERPT].decode("utf-8", "replace") if reply else ""
    return f"{words}\n{came}" if came else words
