"""Transactions: created through the Gateway, registered, read."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime
from decimal import Decimal

from flask import Response, jsonify, request

from console.api.door import api, caller, document, needs, nothing_asked, office, readable
from recon.words import transaction_word
from store.desk_created import Created
from tieout.create import create
from tieout.desk.created import transaction
from tieout.refusal import Refusal
from tieout.register import register
from tieout.wanted import read_registration, read_wanted

MADE, KNOWN = 201, 200


@api.post("/transactions")
@needs("transactions:create")
def create_transaction() -> Response:
    """Create a transaction through the Gateway, once for each Idempotency-Key."""
    nothing_asked()
    wanted = read_wanted(document(), office().gateways)
    caller().require_gateway(wanted.gateway.name)
    given = create(
        office(),
        wanted,
        client=caller().client,
        idempotency_key=request.headers.get("Idempotency-Key", ""),
    )
    response = jsonify(given.answer)
    response.status_code = given.status
    if given.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


@api.post("/transactions/register")
@needs("transactions:register")
def register_transaction() -> Response:
    """Register a transaction that the company created itself."""
    nothing_asked()
    registration = read_registration(document(), office().gateways)
    caller().require_gateway(registration.gateway.name)
    new = register(office(), registration)
    said = "registered" if new else "known"
    response = jsonify({"status": said, **_found(registration.transaction_id, registration.gateway.name)})
    response.status_code = MADE if new else KNOWN
    return response


@api.get("/transactions/<transaction_id>")
@needs("transactions:read")
def show_transaction(transaction_id: str) -> Response:
    """What is known of a transaction; `gateway` in the address if several have it."""
    nothing_asked("gateway")
    return jsonify({"status": "found", **_found(transaction_id, request.args.get("gateway"))})


def _found(transaction_id: str, gateway: str | None) -> dict[str, object]:
    row = transaction(office().engine, transaction_id=transaction_id, gateways=readable(gateway))
    if row is None:
        fix = "register it first: POST /api/v1/transactions/register"
        raise Refusal("not-found", what="the transaction", why="no such transaction is known here", fix=fix)
    return {"transaction": _plain(row)}


def _plain(row: Created) -> dict[str, object]:
    error = {"code": row.error_code, "message": row.error_message}
    return {
        "transactionId": row.transaction_id,
        "gateway": row.gateway,
        "origin": row.origin,
        "user": row.user_ref,
        "account": row.account,
        "broker": row.broker,
        "intent": row.intent,
        "gatewayStatus": row.status,
        "statusKnown": row.status is None or transaction_word(row.status) is not None,
        "knownToGateway": row.known,
        "final": row.final,
        "createdAt": _text(row.created_at),
        "expireAt": _text(row.expire_at),
        "registeredAt": _text(row.registered_at),
        "error": error if row.error_code or row.error_message else None,
        "requested": row.requested,
        "batches": [{_camel(name): _text(value) for name, value in asdict(batch).items()} for batch in row.batches],
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _text(value: object) -> object:
    """Instants and decimals as text, so that nothing is rounded on the way."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case _:
            return value
