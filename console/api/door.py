"""The door of the private API: who calls, by which key, for what; and bodies that are one JSON object.

Denied by default: a view without a scope answers nobody. There is no cookie, so there is nothing a page of
another site could make a browser send along; what a browser sends is refused all the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import structlog
from flask import Blueprint, current_app, g, request

from gateway.strict import NotStrictError, Reader
from tieout.callers import Caller, let_in
from tieout.office import Office
from tieout.refusal import Refusal

_LOG = structlog.get_logger("console.api")
_READER: Final = Reader(max_depth=16)
_NO_SCOPE: Final = "this address is open to nobody"

View = TypeVar("View", bound=Callable[..., object])
api = Blueprint("api", __name__, url_prefix="/api/v1")


def needs(scope: str) -> Callable[[View], View]:
    """Open a view to keys with that scope."""

    def open_to(view: View) -> View:
        setattr(view, _SCOPE, scope)
        return view

    return open_to


_SCOPE: Final = "tieout_scope"


def scope_of(endpoint: str | None) -> str | None:
    """The scope that an endpoint needs, None if it has none and is closed."""
    return getattr(current_app.view_functions.get(endpoint or ""), _SCOPE, None)


def office() -> Office:
    """What the views work with."""
    found: Office = current_app.extensions["office"]
    return found


def caller() -> Caller:
    """Who calls."""
    found: Caller = g.caller
    return found


def readable(gateway: str | None) -> list[str]:
    """The gateways that this caller may read, or the one of them that is named."""
    allowed = [name for name in office().gateways if not caller().gateways or name in caller().gateways]
    return [name for name in allowed if gateway in (None, name)]


@api.before_request
def _let_in() -> None:
    try:
        _refuse_browsers()
        with office().engine.begin() as connection:
            g.caller = let_in(connection, request.headers.get("Authorization"))
        _require_scope()
    except Refusal as refusal:
        _LOG.warning("api.refused", reason=refusal.reason, endpoint=request.endpoint)
        raise


def _refuse_browsers() -> None:
    if "Origin" in request.headers or "Sec-Fetch-Site" in request.headers:
        fix = "call it from your backend; a key does not belong into a page or an app"
        raise Refusal("from-a-browser", what="the call", why="a browser sent it", fix=fix)


def _require_scope() -> None:
    scope = scope_of(request.endpoint)
    if scope is None:
        raise Refusal("missing-scope", what="the call", why=_NO_SCOPE, fix="see docs/api.md for what there is")
    caller().require(scope)


def document() -> dict[str, object]:
    """The one JSON object of the request's body; numbers are tokens. Raises `Refusal`."""
    if request.mimetype != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
        fix = "send JSON with Content-Type: application/json, not compressed"
        raise Refusal("wrong-content-type", what="the body", why=f"it is {_kind()}", fix=fix)
    try:
        return _READER.read(_body())
    except NotStrictError as error:
        fix = "send one JSON object in UTF-8, no key twice, no NaN"
        raise Refusal("not-json", what="the body", why=f"it cannot be read: {error.reason}", fix=fix) from None


def _kind() -> str:
    said = request.mimetype[:80]
    return said if said.isprintable() and said else "of no stated type"


def _body() -> bytes:
    length, most = request.content_length, current_app.config["API_BODY_BYTES"]
    if length is None:
        raise Refusal("no-length", what="the body", why="its length is not said", fix="send Content-Length")
    if length > most:
        fix = f"send at most {most:,} bytes; TIEOUT_API_BODY_BYTES allows more"
        raise Refusal("too-large", what="the body", why=f"it has {length:,} bytes", fix=fix)
    body = request.stream.read(length)
    if len(body) != length:
        raise Refusal("not-json", what="the body", why="it was cut short", fix="send all of it")
    return body


def nothing_asked(*allowed: str) -> None:
    """Pass if the address's query has no other parts than these. Raises `Refusal`."""
    if unknown := sorted(set(request.args) - set(allowed)):
        shown = ", ".join(name for name in unknown if name.isprintable())[:200]
        fix = f"take it out; there may be {', '.join(allowed)}" if allowed else "take it out: there may be none here"
        raise Refusal("not-valid", what="the address", why=f"it asks for what is not known here: {shown}", fix=fix)
