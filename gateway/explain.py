"""Explain how a webhook was judged: which formula over which text, with which keys, and what would match.

Crossed keys are the most common first failure, so the usual mistakes are tried one after another.
Secrets are never shown, only their fingerprints.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from config.keys import Key
from gateway.shapes import ACCOUNT, TRANSACTION, Family, Shape, shape_of
from gateway.strict import NotStrictError
from gateway.verify import ENCODINGS, Checks, Formula, formula_for, verify

SHOWN: Final = 12  #: characters of a checksum that are shown
SEPARATORS: Final = ("", ".", ":", "|", "-", "_", " ", "\n", "+", ",")

_FORMS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "hex, lower case": ENCODINGS["hex"],
    "hex, upper case": lambda digest: digest.hex().upper().encode(),
    "base64": ENCODINGS["base64"],
    "base64, URL-safe": base64.urlsafe_b64encode,
    "base64 without padding": lambda digest: base64.b64encode(digest).rstrip(b"="),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the explanation."""

    what: str
    value: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One way in which the sender may have made the checksum."""

    key: str
    form: str
    text: str
    fix: str


def explain(
    body: bytes, *, gateway: str, api_keys: Sequence[Key], jwt_keys: Sequence[Key], now: datetime, checks: Checks
) -> tuple[Row, ...]:
    """How that body would be judged now, line by line. Never raises, never shows a secret."""
    verdict = verify(body, api_keys, now=now, checks=checks)
    rows = [
        Row(what="gateway", value=gateway),
        Row(what="verdict", value=verdict.reason if verdict.ok else f"refused: {verdict.reason}"),
    ]
    try:
        shape = shape_of(checks.reader.read(body))
    except NotStrictError as error:
        return (*rows, Row(what="body", value=error.reason, fix=_FIXES.get(error.reason, "")))
    used = formula_for(shape, checks.formulas)
    rows += [*_of_shape(shape), *_of_formula(shape, used), *_of_keys(api_keys, jwt_keys, now)]
    if verdict.ok:
        return (*rows, *(Row(what="mark", value=mark) for mark in verdict.marks), _matched(verdict.key_id))
    fix = _FIXES.get(verdict.reason, "")
    if verdict.reason != "bad-checksum":
        return (*rows, Row(what="refused", value=verdict.reason, fix=fix))
    return (*rows, *_what_would_match(shape, used, api_keys, jwt_keys, now))


_FIXES: Final = {
    "not-utf8": "the file is not the raw body: save the bytes as they came",
    "not-json": "the file is not the raw body, or it was cut: save the bytes as they came",
    "not-an-object": "a webhook is one JSON object",
    "too-deep": "raise TIEOUT_JSON_MAX_DEPTH if the Gateway really sends such bodies",
    "number-too-long": "raise TIEOUT_NUMBER_MAX_DIGITS if the Gateway really sends such numbers",
    "bad-id": "transactionId is TRX_ and 32 hex digits; batchId and smallcaseAuthId are 24 hex digits",
    "no-checksum": "the body has no text under checksum: it was not sent by the Gateway",
    "no-timestamp": "the body has no text or number under timestamp: it was not sent by the Gateway",
    "no-id": "the id that this family's checksum is made over is not in the body",
    "no-valid-key": "no API secret is valid now: set TIEOUT_GATEWAY_API_SECRETS, or widen a window",
    "stale": "the timestamp is older than TIEOUT_WEBHOOK_MAX_AGE",
    "holds-secret": "the body has one of your own API secrets in it: replace that secret",
}


def _of_shape(shape: Shape) -> Iterator[Row]:
    yield Row(what="family", value=str(shape.family), fix=_family_fix(shape.family))
    for name, value in ((TRANSACTION, shape.transaction_id), (ACCOUNT, shape.account), ("batchId", shape.batch_id)):
        yield Row(what=name, value=value or "absent")
    yield Row(what="timestamp", value=shape.timestamp or "absent")
    yield Row(what="checksum", value=_short(shape.checksum or "absent"))


def _family_fix(family: Family) -> str:
    return "its keys are of no family or of two: it would be stored and parked" if family is Family.UNKNOWN else ""


def _of_formula(shape: Shape, used: Formula) -> Iterator[Row]:
    yield Row(what="formula", value=f"{used.encoding} of HMAC-SHA256 over {used.template}")
    identifier = _id(shape, used.id_name)
    if identifier and shape.timestamp:
        yield Row(what="text", value=used.message(shape.timestamp, identifier).decode("utf-8", "replace"))


def _of_keys(api_keys: Sequence[Key], jwt_keys: Sequence[Key], now: datetime) -> Iterator[Row]:
    for kind, keys in (("API secret", api_keys), ("JWT secret", jwt_keys)):
        for key in keys:
            state = "valid" if key.valid_at(now) else "outside its window"
            yield Row(what=f"{kind} {key.key_id}", value=f"fingerprint {key.fingerprint}, {state}")
    api, jwt = ({key.secret for key in keys} for keys in (api_keys, jwt_keys))
    if api & jwt:
        yield Row(
            what="keys", value="the same value is set as API secret and JWT secret", fix="look up both at the Gateway"
        )


def _matched(key_id: str | None) -> Row:
    return Row(what="matches", value=f"API secret {key_id}")


def _what_would_match(
    shape: Shape, used: Formula, api_keys: Sequence[Key], jwt_keys: Sequence[Key], now: datetime
) -> tuple[Row, ...]:
    found = tuple(
        Row(what="would match", value=f"{attempt.key}, {attempt.form}, over {attempt.text}", fix=attempt.fix)
        for attempt in _matches(shape, used, api_keys, jwt_keys, now)
    )
    return found or (
        Row(
            what="would match",
            value="nothing that was tried",
            fix="the secret is another one, or the body is forged: compare the fingerprints with the sender's",
        ),
    )


def _matches(
    shape: Shape, used: Formula, api_keys: Sequence[Key], jwt_keys: Sequence[Key], now: datetime
) -> Iterator[_Attempt]:
    given = (shape.checksum or "").encode()
    for key_name, key_fix, key in _secrets(api_keys, jwt_keys, now):
        for text_name, text_fix, message in _messages(shape, used):
            digest = hmac.digest(key, message, "sha256")
            for form, encode in _FORMS.items():
                if hmac.compare_digest(encode(digest), given):
                    fixes = (key_fix, text_fix, _form_fix(form, used))
                    yield _Attempt(key=key_name, form=form, text=text_name, fix="; ".join(filter(None, fixes)))


def _secrets(api_keys: Sequence[Key], jwt_keys: Sequence[Key], now: datetime) -> Iterator[tuple[str, str, bytes]]:
    for key in api_keys:
        fix = "" if key.valid_at(now) else f"widen the window of {key.key_id}"
        yield f"API secret {key.key_id}", fix, key.secret
        if (bare := key.secret.strip(b"\"'")) != key.secret:
            yield f"API secret {key.key_id} without its quotes", f"take the quotes off {key.key_id}", bare
    for key in jwt_keys:
        yield f"JWT secret {key.key_id}", "the two secrets are crossed: swap the two settings", key.secret


def _messages(shape: Shape, used: Formula) -> Iterator[tuple[str, str, bytes]]:
    stamp = shape.timestamp or ""
    for name in (ACCOUNT, TRANSACTION, "batchId"):
        identifier = _id(shape, name)
        if identifier is None:
            continue
        for separator in SEPARATORS:
            for template in (f"{{timestamp}}{separator}{{{name}}}", f"{{{name}}}{separator}{{timestamp}}"):
                text = template.replace("{timestamp}", stamp).replace(f"{{{name}}}", identifier)
                yield template, _text_fix(template, name, used), text.encode()


def _text_fix(template: str, name: str, used: Formula) -> str:
    if template == used.template:
        return ""
    settable = name in (ACCOUNT, TRANSACTION)
    return f"set this family's checksum formula to {template}" if settable else "ask the Gateway for the formula"


def _form_fix(form: str, used: Formula) -> str:
    if form == {"hex": "hex, lower case", "base64": "base64"}[used.encoding]:
        return ""
    settable = {"hex, lower case": "hex", "base64": "base64"}.get(form)
    return f"set this family's encoding to {settable}" if settable else f"the sender writes it in {form}: ask why"


def _id(shape: Shape, name: str) -> str | None:
    return {ACCOUNT: shape.account, TRANSACTION: shape.transaction_id, "batchId": shape.batch_id}[name]


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"
