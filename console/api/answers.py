"""Refusals as JSON: one word for machines, then what, why and the fix for people."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Final

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from tieout.refusal import Refusal

PREFIX: Final = "/api/"
_SECOND: Final = timedelta(seconds=1)
_FORBIDDEN, _CONFLICT, _AWAY = HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE

#: The status of each refusal; one that is not named here is 422: understood, and not done.
STATUS: Final = {
    "no-key": HTTPStatus.UNAUTHORIZED,
    "bad-key": HTTPStatus.UNAUTHORIZED,
    "not-yet-key": HTTPStatus.UNAUTHORIZED,
    "expired-key": HTTPStatus.UNAUTHORIZED,
    "revoked-key": HTTPStatus.UNAUTHORIZED,
    "missing-scope": _FORBIDDEN,
    "not-this-gateway": _FORBIDDEN,
    "from-a-browser": _FORBIDDEN,
    "account-of-another-user": _FORBIDDEN,
    "account-not-linked": _FORBIDDEN,
    "not-json": HTTPStatus.BAD_REQUEST,
    "bad-idempotency-key": HTTPStatus.BAD_REQUEST,
    "not-found": HTTPStatus.NOT_FOUND,
    "in-flight": _CONFLICT,
    "known-otherwise": _CONFLICT,
    "conflict": _CONFLICT,
    "no-length": HTTPStatus.LENGTH_REQUIRED,
    "too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "wrong-content-type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "gateway-busy": _AWAY,
    "database-away": _AWAY,
    "gateway-refuses-keys": HTTPStatus.BAD_GATEWAY,
    "no-valid-key": HTTPStatus.BAD_GATEWAY,
    "answer-lost": HTTPStatus.GATEWAY_TIMEOUT,
}


def for_machines() -> bool:
    """Whether this request is for the API."""
    return request.path.startswith(PREFIX)


def register(app: Flask) -> None:
    """Answer refusals as JSON."""
    app.register_error_handler(Refusal, refused)


def refused(refusal: Refusal) -> Response:
    """The refusal as the caller gets it."""
    response = jsonify(refusal.as_row())
    response.status_code = STATUS.get(refusal.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
    if refusal.retry_after is not None:
        response.headers["Retry-After"] = str(max(1, -(-refusal.retry_after // _SECOND)))
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def http_refused(error: HTTPException) -> Response:
    """What the framework refuses, in the same form."""
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    reason = status.phrase.lower().replace(" ", "-")
    row = {"status": "refused", "reason": reason, "what": "the call", "why": error.description or status.description}
    response = jsonify({**row, "fix": "see docs/api.md for the addresses and methods there are"})
    response.status_code = status
    return response


def database_away() -> Response:
    """The database does not answer, so nothing was done that one could know of."""
    why = "the database does not answer"
    fix = "send the same request again, a creation with the same Idempotency-Key"
    return refused(Refusal("database-away", what="the call", why=why, fix=fix, retry_after=5 * _SECOND))
