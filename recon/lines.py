"""A line by itself: its key, the digest of its compared facts, its day, and whether it is plain."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import blake2b

from recon.ends import ending, filled_of, ours_is_final
from recon.values import ZERO, Answer, Batch, Calendar, OurLine, Policy, TheirLine
from recon.words import CANCELLED, COMPLETE, PARTIAL, is_amo, is_exchange, is_side, leg_word, our_word

IST = timezone(timedelta(hours=5, minutes=30), "IST")


def plain_text(value: Decimal) -> str:
    """The number as people write it, without zeros at its end: 10, 1500.05."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def key_of(gateway: str, transaction_id: str, exchange: str, exchange_order_id: str | None) -> bytes | None:
    """16 bytes by which both sides name the same leg, None without an exchange order id."""
    if not exchange_order_id:
        return None
    return _digest((gateway, transaction_id, exchange.upper(), exchange_order_id))


def facts_of_ours(line: OurLine) -> bytes:
    """16 bytes over the compared fields of a line of the books.

    Two lines that are `plain` and have equal facts are matched without a finding.
    """
    filled = filled_of(line)
    word = our_word(line.status) if line.status is not None else _implied_word(filled, line.quantity)
    return _facts(
        (line.instrument, line.symbol, line.side, line.account, line.broker),
        line.trade_date,
        (line.quantity, filled, line.average_price),
        word or f"?{line.status}",
    )


def facts_of_theirs(line: TheirLine, account: str | None, broker: str | None) -> bytes:
    """16 bytes over the compared fields of a leg; account and broker as its batch or answer say them."""
    leg = line.leg
    return _facts(
        (line.instrument, leg.symbol, leg.side, account, broker),
        line.trade_date,
        (leg.quantity, leg.filled, leg.average_price),
        leg_word(leg.status) or f"?{leg.status}",
    )


def broker_of(batch: Batch, answer: Answer) -> str | None:
    """The broker of a batch, as it or its transaction says."""
    return batch.broker or answer.broker


def plain_ours(line: OurLine) -> bool:
    """Whether the books' line alone raises no finding and waits for nothing."""
    filled = filled_of(line)
    whole = filled in (ZERO, line.quantity)
    unfilled_end = filled > 0 or line.status is not None
    known = is_side(line.side) and is_exchange(line.exchange)
    priced = filled == 0 or bool(line.average_price)
    return whole and unfilled_end and known and priced and ours_is_final(line) is True


def session_of(instant: datetime, *, amo: bool, calendar: Calendar) -> date:
    """The session an order of that instant belongs to; an after-market order waits for an opening."""
    day = instant.astimezone(IST).date()
    if calendar.is_session(day):
        in_time = instant < calendar.opens_at(day) if amo else instant <= calendar.closes_at(day)
        if in_time:
            return day
    return calendar.session_after(day)


def trade_date_of(batch: Batch, answer: Answer, calendar: Calendar, *, known_at: datetime) -> date:
    """The IST trade date of a batch: of its completion, else the session of its creation.

    `known_at`, when we first heard of it, stands in when the Gateway states neither.
    """
    if batch.completed_at is not None:
        return batch.completed_at.astimezone(IST).date()
    created = batch.created_at or answer.created_at or known_at
    return session_of(created, amo=is_amo(batch.variety), calendar=calendar)


def validity_end(day: date, calendar: Calendar) -> datetime:
    """When an order of that trade date can no longer be filled: the close of its session."""
    return calendar.closes_at(calendar.session_on_or_after(day))


def books_due_at(day: date, policy: Policy) -> datetime:
    """When the books of that trade date are due."""
    return datetime.combine(day, policy.books_due, tzinfo=IST)


def _implied_word(filled: Decimal, quantity: Decimal) -> str:
    """What no status at all means beside that filled quantity."""
    return COMPLETE if filled == quantity else "-"


def _facts(
    names: tuple[str, str, str, str | None, str | None],
    day: date,
    figures: tuple[Decimal, Decimal, Decimal | None],
    word: str,
) -> bytes:
    instrument, symbol, side, account, broker = names
    quantity, filled, price = figures
    compared = ending(word, filled, quantity) if word in {PARTIAL, CANCELLED} else word
    return _digest(
        (
            instrument,
            "".join(symbol.split()).upper(),
            day.isoformat(),
            side.upper(),
            account or "",
            (broker or "").lower(),
            plain_text(quantity),
            plain_text(filled),
            plain_text(price or ZERO) if filled else "",
            compared or word,
        )
    )


def _digest(parts: Iterable[str]) -> bytes:
    """16 bytes over the parts, each with its length before it so that none can run into the next."""
    digest = blake2b(digest_size=16)
    for part in parts:
        text = part.encode("utf-8", "surrogatepass")
        digest.update(len(text).to_bytes(4, "big"))
        digest.update(text)
    return digest.digest()
