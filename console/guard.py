"""What keeps the console closed: read only, asked for by a loopback name, nothing foreign loaded.

The private API writes: it has a door of its own (`console.api.door`), keys instead of a loopback's trust, and may
be asked for by the further names of a setting. The pages never are.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, Response, abort, current_app, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

READS = ("GET", "HEAD")
API = "/api/"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")

CONTENT_SECURITY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class WrongHost(HTTPException):
    """A page asked for under another name than a loopback one: 421."""

    code = 421
    description = "The console answers only to localhost, 127.0.0.1 or [::1] at its own port."


def guard(app: Flask, port: int, *, api_hosts: Iterable[str] = ()) -> None:
    """Refuse what is no read or names another host, and send strict headers with everything."""
    app.config["HOSTS"] = frozenset(_named(host, port) for host in LOOPBACK)
    app.config["API_HOSTS"] = app.config["HOSTS"] | {name.lower() for name in api_hosts}
    app.before_request(_only_loopback_names)
    app.before_request(_only_reads)
    app.after_request(_strict_headers)


def _named(host: str, port: int) -> str:
    return host if port == 80 else f"{host}:{port}"  # noqa: PLR2004 the port browsers leave out


def _only_loopback_names() -> None:
    # A page of another site may have its own name resolve to 127.0.0.1 and so reach this process.
    names = current_app.config["API_HOSTS" if request.path.startswith(API) else "HOSTS"]
    if request.headers.get("Host", "").lower() not in names:
        raise WrongHost


def _only_reads() -> None:
    if request.path.startswith(API):
        return
    if request.method not in READS:
        raise MethodNotAllowed(READS, "The console only shows; it changes nothing. Use the command line to act.")
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.headers.get("Sec-Fetch-Mode") != "navigate":
        abort(403, "Another site asked for this; open the console by its own address.")


def _strict_headers(response: Response) -> Response:
    response.headers.update(HEADERS)
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "no-cache"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response
