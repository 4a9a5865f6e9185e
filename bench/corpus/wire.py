"""The Gateway's own words: an answer or a webhook of the corpus as the bytes in which it would come."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from bench.corpus.story import Answer, Batch, Leg, Story, Webhook

_ENCODER = msgspec.json.Encoder(decimal_format="number")

ABSENT = b'{"success": false, "errors": ["transaction not found"], "data": null}'


GARBLED = b'{"success": true, "errors": null, "data": {"transactionDetails": {"status": 7, "orderBatches": "none"}}}'


def answer_body(story: Story, answer: Answer) -> bytes:
    """A transaction-details answer."""
    if answer.garbled:
        return GARBLED
    details: dict[str, object] = {
        "transactionId": story.transaction_id,
        "status": answer.status,
        "intent": answer.intent,
        "smallcaseAuthId": answer.account,
        "broker": answer.broker,
        "createdAt": _instant(answer.created_at),
        "expireAt": _instant(answer.expire_at),
        "orderBatches": [_batch(batch) for batch in answer.batches],
    }
    if answer.error_message or answer.error_code:
        details["error"] = {"value": True, "code": answer.error_code, "message": answer.error_message}
    if answer.requested:
        details["orderConfig"] = {"securities": [_requested(leg) for leg in answer.requested]}
    return _encoded({"success": True, "errors": None, "data": {"transactionDetails": {**details, **answer.more}}})


def webhook_body(story: Story, webhook: Webhook) -> bytes:
    """An orders webhook."""
    said = _batch(webhook.batch)
    return _encoded({**said, "transactionId": story.transaction_id, "smallcaseAuthId": webhook.account})


def basket(story: Story) -> list[dict[str, object]]:
    """The basket as it is kept when the transaction is registered."""
    return [
        {"exchange": leg.exchange, "symbol": leg.symbol, "side": leg.side, "quantity": str(leg.quantity)}
        for leg in story.requested
    ]


def _encoded(document: Mapping[str, object]) -> bytes:
    return _ENCODER.encode(document)


def _batch(batch: Batch) -> dict[str, object]:
    figures = {
        "quantity": batch.quantity,
        "filled": batch.filled,
        "buyAmount": batch.buy_amount,
        "sellAmount": batch.sell_amount,
    }
    return {
        "batchId": batch.batch_id,
        "status": batch.status,
        "variety": batch.variety,
        "broker": batch.broker,
        "createdAt": _instant(batch.created_at),
        "completedDate": _instant(batch.completed_at),
        **{name: figure for name, figure in figures.items() if figure is not None},
        "orders": [_leg(leg) for leg in batch.legs if leg.placed],
        "unplaced": [_leg(leg) for leg in batch.legs if not leg.placed],
        **batch.more,
    }


def _leg(leg: Leg) -> dict[str, object]:
    return {
        "tradingsymbol": leg.symbol,
        "exchange": leg.exchange,
        "transactionType": leg.side,
        "orderType": "MARKET",
        "product": "CNC",
        "quantity": _plain(leg.quantity),
        "filledQuantity": _plain(leg.filled),
        "averagePrice": leg.price,
        "status": leg.status,
        "exchangeOrderId": leg.exchange_order_id,
    }


def _requested(leg: Leg) -> dict[str, object]:
    return {"ticker": leg.symbol, "exchange": leg.exchange, "type": leg.side, "quantity": _plain(leg.quantity)}


def _plain(number: Decimal) -> Decimal | int:
    """A whole number is written without a point."""
    return int(number) if number == int(number) else number


def _instant(value: datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
