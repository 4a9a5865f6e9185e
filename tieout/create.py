"""Creating a transaction through the Gateway, once for each idempotency key.

The row of a creation is committed before the Gateway is asked, and no connection is held while it is.
An answer that was lost leaves the creation `unclear`; the same key may then create anew, since an id that
was never handed out cannot be used.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection, Row

from gateway.client import GatewayError, GatewayOurs, first_valid
from gateway.create import Created, LostError, NotCreatedError, RejectedError, ask_creation, created_by
from gateway.intents import Token, without_personal
from gateway.rate import NoTurnError
from gateway.tokens import connected_token, guest_token
from recon.values import Origin
from store import creations, gateways
from store.registrations import FACTS, fill
from store.transactions import ensure
from tieout.accounts import account_for
from tieout.alert import alert
from tieout.office import Office
from tieout.refusal import Refusal
from tieout.shop import repeat
from tieout.wanted import Wanted

_LOG = structlog.get_logger("tieout.create")
CREATED, REJECTED = 201, 422  #: statuses of the stored answers
MOST_WAIT: Final = timedelta(seconds=3)  #: for a place among the calls
MARGIN: Final = timedelta(seconds=10)  #: beyond wait and deadline, until a creation counts as unanswered
BLOCKED_PAUSE: Final = timedelta(seconds=5)
MOST_KEY: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The answer to a creation; `replayed` when the same key had got it before."""

    status: int
    answer: Mapping[str, object]
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A creation that is ours to make."""

    creation_id: int
    account: str | None  #: of the connected token; None: a guest's
    asked_at: datetime  #: domain's clock


def create(office: Office, wanted: Wanted, *, client: str, idempotency_key: str) -> Given:
    """Create the transaction, or give the answer that this client got for this key before.

    Raises `Refusal`: bad-idempotency-key, key-reused, in-flight, no-linked-account, several-accounts,
    account-of-another-user, account-not-linked, gateway-busy, gateway-refuses-keys, gateway-refused, answer-lost.
    """
    if not (0 < len(idempotency_key) <= MOST_KEY and idempotency_key.isascii() and idempotency_key.isprintable()):
        fix = f"send 1 to {MOST_KEY} printable ASCII characters, new for each transaction: a UUID will do"
        raise Refusal("bad-idempotency-key", what="the creation", why="its Idempotency-Key is none", fix=fix)
    begin = partial(_begin, office=office, wanted=wanted, client=client, key=idempotency_key)
    begun = repeat(office.engine.begin, begin)
    if isinstance(begun, Given):
        return begun
    try:
        made = _ask(office, wanted, begun)
    except GatewayError as error:
        return _not_made(office, wanted, begun, error)
    except BaseException:
        _end(office, begun, state="unclear", reason="an error of our own")
        raise
    return _made(office, wanted, begun, made)


# ---------------------------------------------------------------- before the call


def _begin(connection: Connection, *, office: Office, wanted: Wanted, client: str, key: str) -> _Begun | Given:
    digest = wanted.digest()
    if creations.is_other(connection, client=client, key=key, digest=digest):
        raise _key_reused()
    creation_id = creations.begin(
        connection,
        client=client,
        key=key,
        digest=digest,
        gateway=wanted.gateway.name,
        user_ref=wanted.user_ref,
        intent=wanted.intent,
        lease=office.deadline + MOST_WAIT + MARGIN,
    )
    if creation_id is None:
        return _again(creations.standing(connection, client=client, key=key), digest)
    _check_breaker(connection, wanted.gateway.name)
    account = _account(connection, wanted)
    if account:
        creations.with_account(connection, creation_id=creation_id, account=account)
    return _Begun(creation_id=creation_id, account=account, asked_at=office.clock.now())


def _check_breaker(connection: Connection, gateway: str) -> None:
    """Pass unless calls to the gateway are stopped just now. Raises `Refusal`; nothing of the creation stays."""
    breaker, blocked = gateways.breakers(connection).get(gateway, ("closed", False))
    if blocked:
        said = "it asked to be left alone" if breaker == "closed" else "its calls failed one after the other"
        fix = "send the same request again after a while; `tieout doctor --gateway` tells whether the keys are right"
        why = f"calls to {gateway} are stopped: {said}"
        raise Refusal("gateway-busy", what="the creation", why=why, fix=fix, retry_after=BLOCKED_PAUSE)


def _account(connection: Connection, wanted: Wanted) -> str | None:
    """With whose connected token to ask, None for a guest's. Raises `Refusal`."""
    if wanted.token is Token.GUEST or wanted.user_ref is None:
        return None
    return account_for(
        connection,
        gateway=wanted.gateway.name,
        user_ref=wanted.user_ref,
        account=wanted.account,
        needed=wanted.token is Token.CONNECTED,
    )


def _again(found: Row[Any] | None, digest: bytes) -> Given:
    """The answer that stands. Raises `Refusal` while there is none, and for another request."""
    if found is not None and bytes(found.digest) != digest:
        raise _key_reused()
    if found is None or found.state == "asking":
        left = max(found.left, timedelta(seconds=1)) if found else timedelta(seconds=1)
        why = "a request with the same Idempotency-Key is being made"
        fix = "wait, then send the same request with the same key: you get its answer"
        raise Refusal("in-flight", what="the creation", why=why, fix=fix, retry_after=min(left, timedelta(seconds=2)))
    return Given(status=found.answer_status, answer=found.answer, replayed=True)


def _key_reused() -> Refusal:
    why = "its Idempotency-Key was used for another request"
    return Refusal("key-reused", what="the creation", why=why, fix="use a new key for each transaction")


# ---------------------------------------------------------------- the call


def _ask(office: Office, wanted: Wanted, begun: _Begun) -> Created:
    """Ask the Gateway at the rate it is asked at. Raises `GatewayError`."""
    body = msgspec.json.encode(dict(wanted.body))
    token = _token(office, wanted, begun.account)
    turn = _await_turn(office, wanted)
    try:
        reply = ask_creation(wanted.gateway, body, token=token, deadline=office.deadline, wall=office.wall)
    finally:
        office.limiter.give_back(turn)
    if reply.retry_after:
        office.limiter.block(wanted.gateway, reply.retry_after)
    return created_by(reply, asked_at=begun.asked_at)


def _token(office: Office, wanted: Wanted, account: str | None) -> str:
    now = office.wall.now()
    key = first_valid(wanted.gateway.secrets, now, "TIEOUT_GATEWAY_SECRETS")
    return connected_token(key, account, now=now) if account else guest_token(key, now=now)


def _await_turn(office: Office, wanted: Wanted) -> Any:
    until = time.monotonic() + MOST_WAIT.total_seconds()
    while True:
        try:
            return office.limiter.take(wanted.gateway, hold=office.deadline)
        except NoTurnError as error:
            if time.monotonic() + error.wait.total_seconds() > until:
                raise NotCreatedError("our own rate is used up", retry_after=error.wait) from None
            time.sleep(error.wait.total_seconds())


# ---------------------------------------------------------------- after the call


def _made(office: Office, wanted: Wanted, begun: _Begun, made: Created) -> Given:
    write = partial(_write_made, office=office, wanted=wanted, begun=begun, made=made)
    given = repeat(office.engine.begin, write)
    if given is None:
        raise _lost("the answer came after the creation had been given up")
    _LOG.info("create.created", gateway=wanted.gateway.name, transaction_id=made.transaction_id, intent=wanted.intent)
    return given


def _write_made(
    connection: Connection, *, office: Office, wanted: Wanted, begun: _Begun, made: Created
) -> Given | None:
    """Keep the transaction and the answer; None when the creation was given up meanwhile."""
    answer = _answer(wanted, begun, made)
    kept = creations.end(
        connection,
        creation_id=begun.creation_id,
        state="created",
        http_status=made.http_status,
        transaction_id=made.transaction_id,
        answer_status=CREATED,
        answer=answer,
    )
    if not kept:
        creations.came_late(connection, creation_id=begun.creation_id, transaction_id=made.transaction_id)
        return None
    now, gateway = office.clock.now(), wanted.gateway
    ids = [made.transaction_id]
    ensure(connection, gateway=gateway.name, book=gateway.book, origin=Origin.REGISTRATION, ids=ids, now=now)
    fill(connection, [_facts(wanted, begun, made)], now=now)
    return Given(status=CREATED, answer=answer)


def _answer(wanted: Wanted, begun: _Begun, made: Created) -> dict[str, object]:
    return {
        "status": "created",
        "transactionId": made.transaction_id,
        "expireAt": _text(made.expire_at),
        "gateway": wanted.gateway.name,
        "intent": wanted.intent,
        "user": wanted.user_ref,
        "account": begun.account,
        "token": "connected" if begun.account else "guest",
    }


def _facts(wanted: Wanted, begun: _Begun, made: Created) -> dict[str, object]:
    facts = {
        "account": begun.account,
        "user_ref": wanted.user_ref,
        "created_at": begun.asked_at,
        "expire_at": made.expire_at,
        "intent": wanted.intent,
        "requested": wanted.requested() or None,
    }
    return {"gateway": wanted.gateway.name, "transaction_id": made.transaction_id, **{n: facts[n] for n in FACTS}}


def _not_made(office: Office, wanted: Wanted, begun: _Begun, error: GatewayError) -> Given:
    """Write down why there is no transaction. Raises `Refusal`, or returns the Gateway's own, which is stored."""
    words = without_personal(str(error), wanted.body)
    _LOG.warning("create.not-created", gateway=wanted.gateway.name, intent=wanted.intent, why=words, kind=error.kind)
    if isinstance(error, RejectedError):
        return _rejected(office, begun, words)
    if isinstance(error, LostError):
        _end(office, begun, state="unclear", reason=words, http_status=error.http_status)
        raise _lost(words)
    _end(office, begun, state="failed", reason=words)
    if isinstance(error, GatewayOurs):
        repeat(office.engine.begin, partial(_tell_keys, gateway=wanted.gateway.name, words=words))
        fix = "run `tieout doctor --gateway`; the same Idempotency-Key may be used again"
        raise Refusal("gateway-refuses-keys", what="the creation", why=words, fix=fix)
    fix = "send the same request with the same Idempotency-Key again, after a while: nothing was created"
    pause = error.retry_after or timedelta(seconds=1)
    raise Refusal("gateway-busy", what="the creation", why=words, fix=fix, retry_after=pause)


def _rejected(office: Office, begun: _Begun, words: str) -> Given:
    fix = "correct what the Gateway names and send it with a new Idempotency-Key"
    answer = Refusal("gateway-refused", what="the creation", why=words, fix=fix).as_row()
    _end(office, begun, state="refused", reason=words, answer_status=REJECTED, answer=answer)
    return Given(status=REJECTED, answer=answer)


def _lost(words: str) -> Refusal:
    why = f"whether the Gateway created it is unclear: {words}"
    fix = "send the same request with the same Idempotency-Key again: an id that you never got cannot be used"
    return Refusal("answer-lost", what="the creation", why=why, fix=fix, retry_after=timedelta(seconds=1))


def _end(office: Office, begun: _Begun, **said: Any) -> None:
    repeat(office.engine.begin, lambda c: creations.end(c, creation_id=begun.creation_id, **said))


def _tell_keys(connection: Connection, *, gateway: str, words: str) -> None:
    alert(connection, "keys-refused", gateway=gateway, subject="creation", detail=words)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
