"""Failures in plain words: what is wrong, and what to do."""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, make_response, render_template
from sqlalchemy.exc import DBAPIError, OperationalError
from werkzeug.exceptions import HTTPException, NotFound

from console.api import answers
from tieout.desk.paging import BadCursorError

RETRY_AFTER_S = "5"
_TOO_LONG = "57014"  #: PostgreSQL's code of a statement cancelled for its time


def register(app: Flask) -> None:
    """Answer failures with a page that helps."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(BadCursorError, _bad_cursor)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(OSError, _clock)


def _page(status: HTTPStatus, title: str, said: str) -> Response:
    return make_response(render_template("failure.html", title=title, said=said, status=int(status)), status)


def _refused(error: HTTPException) -> Response:
    if answers.for_machines():
        return answers.http_refused(error)
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    said = error.description or status.description
    if said == NotFound.description:
        said = "There is no page at this address. The box on top finds a transaction, an order, an event or a break."
    page = _page(status, status.phrase, said)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        page.headers["Allow"] = "GET, HEAD"
    return page


def _bad_cursor(error: BadCursorError) -> Response:
    return _page(HTTPStatus.BAD_REQUEST, "This address is not whole", str(error))


def _database(error: DBAPIError) -> Response:
    if getattr(error.orig, "sqlstate", None) == _TOO_LONG:
        said = "The search took too long and was stopped. Narrow it: a date, a transaction, a name."
        return _page(HTTPStatus.SERVICE_UNAVAILABLE, "Too much to look through", said)
    if not isinstance(error, OperationalError):
        raise error
    if answers.for_machines():
        return answers.database_away()
    said = (
        "The database does not answer, so there is nothing to show. "
        "Webhooks are answered 503 meanwhile and the Gateway sends them again. "
        "Run `tieout doctor`, or look at the database's own log."
    )
    page = _page(HTTPStatus.SERVICE_UNAVAILABLE, "The database is away", said)
    page.headers["Retry-After"] = RETRY_AFTER_S
    return page


def _clock(error: OSError) -> Response:
    said = f"A file this service needs cannot be read: {error.strerror or error}. See TIEOUT_CLOCK_FILE."
    return _page(HTTPStatus.SERVICE_UNAVAILABLE, "The clock cannot be read", said)
