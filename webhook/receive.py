"""One webhook: size, bytes, verdict, saved, answered. What each refusal is called is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from config.clock import Clock
from config.settings import Gateway
from gateway.shapes import Family
from gateway.verify import Checks, Verdict, event_id, signature, verify
from inbox.arrivals import ACCEPTED, DUPLICATE, NOT_STORABLE, Arrival, CannotSaveError
from inbox.refusals import Refusals
from webhook.body import NoBodyError, read_body
from webhook.headers import as_json, kept

UNAUTHORIZED: Final = frozenset({"no-checksum", "bad-checksum", "no-id", "no-timestamp", "stale", "signature-reused"})
OUR_FAULT: Final = frozenset({"no-valid-key"})
UNKNOWN_SHAPE: Final = "unknown-shape"
NO_TRANSACTION: Final = "no-transaction"
NO_ACCOUNT: Final = "no-account"
NOWHERE: Final = "?"  #: the gateway's name in the record when there is no such gateway


class Answer(NamedTuple):
    """An HTTP status and a JSON body; with 503 the sender is asked to come again."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What receiving needs."""

    gateways: Mapping[str, Gateway]
    checks: Checks
    clock: Clock
    save: Callable[[Arrival], str]
    refusals: Refusals
    body_max_bytes: int

    def receive(self, name: str, environ: Mapping[str, object]) -> Answer:
        """Take one webhook for the gateway of that name and say what became of it. Never raises."""
        gateway = self.gateways.get(name)
        if gateway is None:
            return self._refuse(404, "unknown-gateway", NOWHERE, environ, detail=name[:64])
        try:
            body = read_body(environ, max_bytes=self.body_max_bytes)
        except NoBodyError as error:
            return self._refuse(error.status, error.reason, name, environ)
        return self._judge(gateway, body, environ)

    def _judge(self, gateway: Gateway, body: bytes, environ: Mapping[str, object]) -> Answer:
        now = self.clock.now()
        verdict = verify(body, gateway.api_secrets, now=now, checks=self.checks)
        if not verdict.ok:
            return self._refuse(_status(verdict.reason), verdict.reason, gateway.name, environ, body)
        identity = event_id(gateway.name, verdict)
        arrival = _arrival(gateway, verdict, identity=identity, now=now, body=body, environ=environ)
        return self._save(arrival, identity, environ)

    def _save(self, arrival: Arrival, identity: bytes, environ: Mapping[str, object]) -> Answer:
        try:
            outcome = self.save(arrival)
        except CannotSaveError:
            return Answer(503, b'{"status":"unavailable","reason":"cannot-save"}')
        if outcome == ACCEPTED:
            return Answer(200, b'{"status":"accepted","event":"%s"}' % _as_uuid(identity))
        if outcome == DUPLICATE:
            return Answer(200, b'{"status":"duplicate","event":"%s"}' % _as_uuid(identity))
        if outcome == NOT_STORABLE:
            return self._refuse(400, "not-storable", arrival.gateway, environ, arrival.body)
        return self._refuse(401, "signature-reused", arrival.gateway, environ, arrival.body)

    def _refuse(
        self, status: int, reason: str, gateway: str, environ: Mapping[str, object], body: bytes = b"", detail: str = ""
    ) -> Answer:
        now = self.clock.now()
        self.refusals.note(gateway=gateway, reason=reason, now=now, body=body, headers=kept(environ), detail=detail)
        word = b"unavailable" if status == 503 else b"refused"  # noqa: PLR2004
        return Answer(status, b'{"status":"%s","reason":"%s"}' % (word, reason.encode()))


def _as_uuid(identity: bytes) -> bytes:
    digits = identity.hex().encode()
    return b"-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _status(reason: str) -> int:
    if reason in OUR_FAULT:
        return 503
    return 401 if reason in UNAUTHORIZED else 400


def _arrival(
    gateway: Gateway, verdict: Verdict, *, identity: bytes, now: datetime, body: bytes, environ: Mapping[str, object]
) -> Arrival:
    shape = verdict.shape
    transaction_id = shape.transaction_id if shape else None
    return Arrival(
        event_id=identity,
        gateway=gateway.name,
        book=gateway.book,
        family=str(verdict.family),
        transaction_id=transaction_id,
        batch_id=shape.batch_id if shape else None,
        account=shape.account if shape else None,
        key_id=verdict.key_id or "",
        received_at=now,
        body=body,
        headers=as_json(kept(environ)),
        signature=signature(gateway.name, verdict),
        marks=",".join(verdict.marks),
        parked=_nothing_to_ask(verdict),
    )


def _nothing_to_ask(verdict: Verdict) -> str | None:
    """Why nothing can be asked for it: it names nothing that its family is asked by."""
    transaction_id, account = (verdict.shape.transaction_id, verdict.shape.account) if verdict.shape else (None, None)
    match verdict.family:
        case Family.UNKNOWN:
            return UNKNOWN_SHAPE
        case Family.HOLDINGS:
            return None if account else NO_ACCOUNT
        case Family.MF_HOLDINGS:
            return None
        case _:
            return None if transaction_id else NO_TRANSACTION
