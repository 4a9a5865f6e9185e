"""What a caller wants created or registered: read out of a JSON object, or refused with everything wrong in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from config.settings import Gateway
from gateway.intents import INTENTS, Fields, Flaw, Token, flaws, requested
from gateway.strict import canonical
from gateway.tokens import ACCOUNT
from tieout.refusal import Refusal

TRANSACTION: Final = re.compile(r"TRX_[0-9a-fA-F]{32}", re.ASCII)
_USER_MOST: Final = 256
_ENVELOPE: Final = ("gateway", "user", "account", "token", "intent")
_REGISTERED: Final = ("gateway", "transactionId", "user", "account", "intent", "createdAt", "expireAt", "orderConfig")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A transaction to create. `body` is what the Gateway is sent; it may hold personal data and is not kept."""

    gateway: Gateway
    intent: str
    body: Fields = field(repr=False)
    user_ref: str | None = None
    account: str | None = None
    token: Token = Token.EITHER

    def digest(self) -> bytes:
        """SHA-256 over all of it: the same request has the same, in whatever order its fields stand."""
        who = {"gateway": self.gateway.name, "user": self.user_ref, "account": self.account, "token": str(self.token)}
        return sha256(canonical({"who": who, "body": dict(self.body)})).digest()

    def requested(self) -> list[dict[str, str]]:
        """The basket asked for, as it is kept."""
        return requested(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A transaction that the company created itself."""

    gateway: Gateway
    transaction_id: str
    user_ref: str | None = None
    account: str | None = None
    intent: str | None = None
    created_at: datetime | None = None
    expire_at: datetime | None = None
    requested: tuple[Mapping[str, str], ...] | None = None


def read_wanted(document: Fields, gateways: Mapping[str, Gateway]) -> Wanted:
    """The creation in a request. Raises `Refusal`: not-valid, with every flaw."""
    body = {name: value for name, value in document.items() if name not in _ENVELOPE[:-1]}
    intent = document.get("intent")
    found = [*_who(document, gateways), *_token(document, intent)]
    rest = {name: value for name, value in body.items() if name != "intent"}
    found += flaws(intent, rest) if isinstance(intent, str) else [_missing("intent", "one of " + ", ".join(INTENTS))]
    if found:
        raise _refused("the creation", found)
    token = document.get("token")
    return Wanted(
        gateway=_gateway(document, gateways),
        intent=str(intent),
        body=body,
        user_ref=_text(document, "user"),
        account=_text(document, "account"),
        token=Token(token) if isinstance(token, str) else INTENTS[str(intent)].token,
    )


def read_registration(document: Fields, gateways: Mapping[str, Gateway]) -> Registration:
    """The registration in a request. Raises `Refusal`: not-valid, with every flaw."""
    found = [*_unknown(document, _REGISTERED), *_who(document, gateways), *_registered_flaws(document)]
    if found:
        raise _refused("the registration", found)
    config = document.get("orderConfig")
    return Registration(
        gateway=_gateway(document, gateways),
        transaction_id=str(document["transactionId"]),
        user_ref=_text(document, "user"),
        account=_text(document, "account"),
        intent=_text(document, "intent"),
        created_at=_instant(document, "createdAt"),
        expire_at=_instant(document, "expireAt"),
        requested=tuple(requested({"orderConfig": config})) if config else None,
    )


def check_fields(what: str, document: Fields, known: Sequence[str], found: Sequence[Flaw] = ()) -> None:
    """Pass if every field is known and nothing else is wrong. Raises `Refusal`: not-valid."""
    if all_found := [*_unknown(document, known), *found]:
        raise _refused(what, all_found)


def gateway_flaws(document: Fields, gateways: Mapping[str, Gateway]) -> Iterator[Flaw]:
    """What is wrong with the gateway that a request names, or does not."""
    name = document.get("gateway")
    if name is None:
        if len(gateways) != 1:
            yield _missing("gateway", f"one of {', '.join(gateways)}")
    elif not isinstance(name, str) or name not in gateways:
        yield Flaw(field="gateway", problem="is no gateway of yours", fix=f"one of {', '.join(gateways)}")


def user_flaws(document: Fields, *, needed: bool = False) -> Iterator[Flaw]:
    """What is wrong with the user that a request names."""
    user = document.get("user")
    if user is None:
        if needed:
            yield _missing("user", "your own id of the user")
    elif not is_user(user):
        fix = f"printable text of at most {_USER_MOST} characters, no spaces at its ends"
        yield Flaw(field="user", problem="is no id of a user", fix=fix)


def account_flaws(document: Fields, *, needed: bool = False) -> Iterator[Flaw]:
    """What is wrong with the account that a request names."""
    account = document.get("account")
    if account is None:
        if needed:
            yield _missing("account", "a smallcaseAuthId")
    elif not isinstance(account, str) or not ACCOUNT.fullmatch(account):
        yield Flaw(field="account", problem="is no smallcaseAuthId", fix="24 lower-case hex digits")


def is_user(text: object) -> bool:
    """Whether that may be the company's own id of a user."""
    return isinstance(text, str) and 0 < len(text) <= _USER_MOST and text.isprintable() and text == text.strip()


def gateway_of(document: Fields, gateways: Mapping[str, Gateway]) -> Gateway:
    """The gateway a checked request is about."""
    return _gateway(document, gateways)


# ---------------------------------------------------------------- the parts


def _refused(what: str, found: Sequence[Flaw]) -> Refusal:
    first = found[0]
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    why = f"{first.field} {first.problem}{more}"
    return Refusal("not-valid", what=what, why=why, fix="correct every field that `problems` names", flaws=found)


def _missing(name: str, fix: str) -> Flaw:
    return Flaw(field=name, problem="is missing", fix=fix)


def _unknown(document: Fields, known: Sequence[str]) -> Iterator[Flaw]:
    for name in document.keys() - set(known):
        shown = name if name.isprintable() and len(name) <= 64 else "?"  # noqa: PLR2004 enough to know it by
        yield Flaw(
            field=shown, problem="is no field that is known here", fix=f"take it out; there may be {', '.join(known)}"
        )


def _who(document: Fields, gateways: Mapping[str, Gateway]) -> Iterator[Flaw]:
    yield from gateway_flaws(document, gateways)
    yield from account_flaws(document)
    yield from user_flaws(document, needed=document.get("account") is not None)


def _token(document: Fields, intent: object) -> Iterator[Flaw]:
    """What is wrong with the token asked for: some intents allow only one."""
    allowed = INTENTS[intent].token if isinstance(intent, str) and intent in INTENTS else Token.EITHER
    token = document.get("token")
    if token is not None and token not in (Token.GUEST.value, Token.CONNECTED.value):
        yield Flaw(field="token", problem="is no kind of token", fix="guest or connected, or leave it out")
    elif token is not None and allowed not in (Token.EITHER, token):
        yield Flaw(field="token", problem=f"is not what {intent} takes", fix=f"{allowed}, or leave it out")
    connected = allowed is Token.CONNECTED or token == Token.CONNECTED
    if connected and document.get("user") is None:
        yield _missing("user", "your own id of the user whose connected token is to be used")
    if document.get("account") is not None and (allowed is Token.GUEST or token == Token.GUEST):
        yield Flaw(field="account", problem="means a connected token, and this takes a guest's", fix="take it out")


def _registered_flaws(document: Fields) -> Iterator[Flaw]:
    transaction_id = document.get("transactionId")
    if not isinstance(transaction_id, str) or not TRANSACTION.fullmatch(transaction_id):
        yield Flaw(field="transactionId", problem="is no transactionId", fix="TRX_ and 32 hex digits")
    intent = document.get("intent")
    if intent is not None and (not isinstance(intent, str) or intent not in INTENTS):
        yield Flaw(field="intent", problem="is no intent of the Gateway", fix=f"one of {', '.join(INTENTS)}")
    if (config := document.get("orderConfig")) is not None:
        yield from flaws("TRANSACTION", {"orderConfig": config})
    for name in ("createdAt", "expireAt"):
        if document.get(name) is not None and _instant(document, name) is None:
            fix = "ISO 8601 with its zone, such as 2026-11-23T04:45:00Z"
            yield Flaw(field=name, problem="is no instant", fix=fix)


def _gateway(document: Fields, gateways: Mapping[str, Gateway]) -> Gateway:
    name = document.get("gateway")
    return gateways[str(name)] if name is not None else next(iter(gateways.values()))


def _text(document: Fields, name: str) -> str | None:
    value = document.get(name)
    return str(value) if value is not None else None


def _instant(document: Fields, name: str) -> datetime | None:
    value = document.get(name)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
