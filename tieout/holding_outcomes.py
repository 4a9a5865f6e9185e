"""What a question about an account's holdings leads to, written in one database transaction under its fence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from config.queues import HOLDINGS_UNIT
from gateway.client import Reply
from gateway.holdings import Holdings
from gateway.investments import Investments
from gateway.lenient import NotUnderstood
from inbox import holdings as inbox
from inbox.decide import RetryIn
from inbox.holdings import HoldingsClaim
from inbox.units import Call
from recon.values import Origin
from store import accounts, holding_events, holding_verdicts
from store.holding_units import Told
from store.holdings import KeptHoldings, keep
from store.transactions import ensure
from tieout.alert import alert
from tieout.breaker import gateway_answers, stop_gateway
from tieout.holding_states import NEEDS_CONSENT, UPDATING, closed_before, next_due, next_fetch, state_of
from tieout.outcomes import Failed
from tieout.shop import Shop

EQUITY: Final = "equity"
INVESTMENTS: Final = "investments"
TEST_BROKER: Final = "-leprechaun"  #: a broker of play money
EXCERPT: Final = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call that was answered: what came, when, and what it says; None says nothing but its state."""

    reply: Reply
    answered: timedelta  #: by this process's clock that only goes forward
    says: Holdings | Investments | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came of asking for one account. Investments are an extra: their failure is only a word."""

    holdings: Asked
    words: str  #: for people: why consent is missing, why there are no investments
    investments: Asked | None = None


def keep_fetched(connection: Connection, *, shop: Shop, claim: HoldingsClaim, fetched: Fetched) -> None:
    """Keep the answers, say how the account stands, end its events. Raises `ClaimLostError`."""
    told = _told(shop, claim, fetched)
    _ensure_named(connection, claim, told)  # before the account is locked, as all who lock both do
    inbox.hold(connection, claim)
    keep(connection, _equity(claim, fetched.holdings, told))
    if fetched.investments:
        keep(connection, _investments(claim, fetched.investments, told))
    holding_verdicts.mark(connection, holder=claim.holder)
    reply = fetched.holdings.reply
    call = Call(http_status=reply.http_status, took_ms=reply.took_ms)
    inbox.finish(connection, claim, told, call=call, detail=fetched.words, pace=shop.pace)
    gateway_answers(connection, claim)


def keep_failure(
    connection: Connection, *, shop: Shop, claim: HoldingsClaim, error: Failed, reply: Reply | None, words: str
) -> None:
    """No answer: wait or park, as for orders; some failures stop the whole gateway. Raises `ClaimLostError`."""
    decision = inbox.after(connection, claim, error)
    call = Call(http_status=reply.http_status, took_ms=reply.took_ms) if reply else Call()
    detail = f"{words}\n{reply.body[:EXCERPT].decode('utf-8', 'replace')}" if reply else words
    if isinstance(decision, RetryIn):
        pause = stop_gateway(connection, claim, error, words, reply=reply, txn=-claim.holder) or decision.pause
        inbox.wait(connection, claim, RetryIn(pause, decision.reason), call=call, detail=detail, pace=shop.pace)
        return
    inbox.hold(connection, claim)
    now = shop.clock.now()
    again = next_due(shop.rules.calendar, now, shop.holdings)
    inbox.park(connection, claim, decision.reason, call=call, detail=detail, known_at=now, next_fetch_at=again)
    subject = f"{HOLDINGS_UNIT} of {claim.unit.account}"
    alert(connection, decision.reason, gateway=claim.unit.gateway, subject=subject, detail=detail)
    gateway_answers(connection, claim)


def book_of(broker: str | None, book: str) -> str:
    """The book of what a broker holds: play money never enters the live one."""
    return "test" if broker and broker.lower().endswith(TEST_BROKER) else book


def noted(found: Sequence[NotUnderstood]) -> list[dict[str, object]]:
    """What was not understood, as it is stored."""
    return [asdict(each) for each in found]


def _told(shop: Shop, claim: HoldingsClaim, fetched: Fetched) -> Told:
    now, says = shop.clock.now(), fetched.holdings.says
    closed = closed_before(shop.rules.calendar, now, shop.holdings)
    state = state_of(says, closed=closed) if isinstance(says, Holdings) else NEEDS_CONSENT
    broker, as_at = _facts(says)
    return Told(
        state=state,
        book=book_of(broker, shop.gateways[claim.unit.gateway].book),
        broker=broker,
        as_at=as_at,
        known_at=now,
        next_fetch_at=next_fetch(state, pauses=claim.pauses, now=now, calendar=shop.rules.calendar, plan=shop.holdings),
        pauses=claim.pauses + 1 if state == UPDATING else 0,
    )


def _facts(says: Holdings | Investments | None) -> tuple[str | None, datetime | None]:
    if not isinstance(says, Holdings):
        return None, None
    return says.broker, says.snapshot_date or says.last_update


def _equity(claim: HoldingsClaim, asked: Asked, told: Told) -> KeptHoldings:
    says = asked.says
    common = _common(claim, asked, told, EQUITY)
    if not isinstance(says, Holdings):
        return KeptHoldings(**common)  # type: ignore[arg-type]
    return KeptHoldings(
        **common,  # type: ignore[arg-type]
        version=says.version,
        updating=says.updating,
        snapshot_date=says.snapshot_date,
        last_update=says.last_update,
        refused=says.refused,
        not_understood=noted(says.not_understood),
        rows=(says.lines, says.funds, says.smallcases),
    )


def _investments(claim: HoldingsClaim, asked: Asked, told: Told) -> KeptHoldings:
    says = asked.says
    assert isinstance(says, Investments)
    return KeptHoldings(
        **_common(claim, asked, told, INVESTMENTS),  # type: ignore[arg-type]
        refused=says.refused,
        not_understood=noted(says.not_understood),
        rows=((), (), says.lines),
    )


def _common(claim: HoldingsClaim, asked: Asked, told: Told, kind: str) -> dict[str, object]:
    return {
        "gateway": claim.unit.gateway,
        "account": claim.unit.account,
        "book": told.book,
        "kind": kind,
        "state": told.state,
        "known_at": told.known_at,
        "asked_at": claim.asked_at,
        "answered_at": claim.instant(asked.answered),
        "http_status": asked.reply.http_status,
        "broker": told.broker,
        "body": asked.reply.body,
    }


def _ensure_named(connection: Connection, claim: HoldingsClaim, told: Told) -> None:
    """The account has a row, and so has every transaction that its webhooks name: those are followed.

    They are judged again, too: what a webhook said is compared with the answer.
    """
    gateway, account = claim.unit.gateway, claim.unit.account
    accounts.ensure(connection, gateway=gateway, book=told.book, accounts=[account], now=told.known_at)
    named = holding_events.transactions_named(connection, gateway=gateway, account=account)
    ensure(connection, gateway=gateway, book=told.book, origin=Origin.WEBHOOK, ids=named, now=told.known_at)
    holding_events.raise_told(connection, gateway=gateway, account=account)
