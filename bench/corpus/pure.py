"""A story judged by the pure rules: its bytes read and folded as the service does, without any database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from msgspec import structs

from bench.corpus.market import MASTER, Listed
from bench.corpus.score import EXCLUDED, Said
from bench.corpus.story import Found, Row, Story
from bench.corpus.wire import answer_body, basket, webhook_body
from config.calendar import exchange_calendar
from gateway.wire import Nonsense, read_details, read_webhook
from recon.chained import ChainBatch
from recon.chains import chain_legs, is_repair
from recon.ends import batch_is_final
from recon.history import fold
from recon.judge import judge
from recon.lines import books_due_at, trade_date_of
from recon.names import class_of
from recon.noted import Notes
from recon.values import (
    Case,
    Claim,
    Evidence,
    Finding,
    Judgement,
    Origin,
    OurLine,
    Policy,
    Snapshot,
    State,
    TheirLine,
)
from tieout.cases import requested_from

POLICY, MARKET = Policy(), Listed()
GATEWAY = "acme"
_ASKED_EVERY = timedelta(minutes=1)
_TOOK = timedelta(milliseconds=50)


def judged(story: Story, policy: Policy = POLICY, notes: Notes | None = None) -> Judgement:
    """What the judge says of the story at its instant."""
    return judge(
        structs.replace(case_of(story), notes=notes),
        as_of=story.as_of,
        policy=policy,
        calendar=exchange_calendar(),
        books_in=lambda day: story.complete or story.as_of >= books_due_at(day, policy),
        market=MARKET,
    )


def said_of(story: Story, policy: Policy = POLICY, notes: Notes | None = None) -> Said:
    """The findings and buckets of a story, as listings name them."""
    case, judgement = case_of(story), judged(story, policy, notes)
    ours = {line.line: line.order_id for line in case.ours}
    theirs = {line.line: line.leg.exchange_order_id for line in case.theirs}
    return Said(
        found=[as_found(finding) for finding in judgement.all_findings()],
        ours={**_left_out(story), **{ours[v.ours]: v.bucket for v in judgement.verdicts if v.ours is not None}},
        theirs=[(theirs[v.theirs], v.bucket) for v in judgement.verdicts if v.theirs is not None],
    )


def _left_out(story: Story) -> dict[str, str]:
    """The lines that name no transaction: no case holds them."""
    return {row.order_id: EXCLUDED for row in story.rows if not row.transaction_id}


def as_found(finding: Finding) -> Found:
    """The finding as a listing names it."""
    return Found(finding.name, finding.line, class_of(finding).value)


def case_of(story: Story) -> Case:
    """Everything known about the story's transaction."""
    state = _state(story)
    return Case(
        gateway=GATEWAY,
        transaction_id=story.transaction_id,
        origin=Origin.REGISTRATION,
        state=state,
        theirs=_theirs(story, state) if state else (),
        ours=tuple(_ours(number, row) for number, row in enumerate(story.rows) if row.transaction_id),
        claims=_claims(story),
        absent_at=tuple(story.absent_at),
        registered_at=story.registered_at,
        expire_at=story.expire_at,
        requested=requested_from(basket(story)),
        chain=tuple(batch for sibling in story.siblings for batch in _chain(story, sibling)),
        unreadable=_unreadable(story),
    )


def _state(story: Story) -> State | None:
    snapshots, asked = [], story.registered_at
    for number, answer in enumerate(story.answers):
        asked = asked + _TOOK / 2 if answer.overlaps else asked + _ASKED_EVERY
        try:
            read = read_details(answer_body(story, answer), story.transaction_id)
        except Nonsense:
            continue
        snapshots.append(Snapshot(asked_at=asked, answered_at=asked + _TOOK, answer=read, ref=str(number + 1)))
    return fold(snapshots) if snapshots else None


def _theirs(story: Story, state: State) -> tuple[TheirLine, ...]:
    lines: list[TheirLine] = []
    for batch in state.answer.batches:
        day = trade_date_of(batch, state.answer, exchange_calendar(), known_at=story.registered_at)
        for leg in batch.legs:
            instrument = MASTER.instrument_at(leg.exchange, leg.symbol, day)
            lines.append(
                TheirLine(line=len(lines), batch_id=batch.batch_id, leg=leg, instrument=instrument, trade_date=day)
            )
    return tuple(lines)


def _ours(number: int, row: Row) -> OurLine:
    return OurLine(
        line=number,
        order_id=row.order_id,
        account=row.account,
        trade_date=row.trade_date,
        exchange=row.exchange,
        symbol=row.symbol,
        instrument=MASTER.instrument_at(row.exchange, row.symbol, row.trade_date, row.isin),
        side=row.side,
        quantity=row.quantity,
        filled=row.filled,
        average_price=row.price,
        status=row.status,
        batch_id=row.batch_id,
        exchange_order_id=row.exchange_order_id,
        broker=row.broker,
        executed_at=row.executed_at,
    )


def _claims(story: Story) -> tuple[Claim, ...]:
    claims = []
    for order, webhook in enumerate(sorted(story.webhooks, key=lambda heard: heard.received_at)):
        try:
            account, _, batch = read_webhook(webhook_body(story, webhook))
        except Nonsense:
            continue
        assert batch is not None
        claims.append(
            Claim(
                event_id=f"{story.transaction_id}-{order}",
                received_at=webhook.received_at,
                asked_after=not webhook.unasked,
                account=account,
                batch=batch,
                order=order,
            )
        )
    return tuple(claims)


def _chain(story: Story, sibling: Story) -> list[ChainBatch]:
    """The batches of another transaction that the service knows to share a chain with this one."""
    named = {batch.more.get("iscid") for batch in story.answer.batches} - {None}
    if sibling.answer.account != story.answer.account:
        return []
    case = case_of(replace(sibling, siblings=[]))
    assert case.state is not None
    answer = case.state.answer
    return [
        ChainBatch(
            transaction_id=sibling.transaction_id,
            batch_id=batch.batch_id,
            status=batch.status,
            repair=is_repair(batch, answer),
            final=batch_is_final(batch, answer.status),
            iscid=batch.iscid,
            at=batch.created_at,
            completed_at=batch.completed_at,
            settled=case.state.settled,
            legs=chain_legs(batch, [line for line in case.theirs if line.batch_id == batch.batch_id]),
        )
        for batch in answer.batches
        if batch.iscid in named
    ]


def _unreadable(story: Story) -> tuple[Evidence, ...]:
    """The webhooks and answers that the readers refuse."""
    heard = [*story.garbled, *(webhook_body(story, webhook) for webhook in story.webhooks)]
    bodies = [("event", body, _refusal(body, read_webhook)) for body in heard]
    for answer in story.answers:
        body = answer_body(story, answer)
        bodies.append(("snapshot", body, _refusal(body, lambda said: read_details(said, story.transaction_id))))
    return tuple(Evidence(kind=kind, ref=str(n), says=why) for n, (kind, _, why) in enumerate(bodies) if why)


def _refusal(body: bytes, read: Callable[[bytes], object]) -> str | None:
    """Why it cannot be read; None if it can."""
    try:
        read(body)
    except Nonsense as error:
        return str(error)
    return None
