"""The edge as a Flask app: one route for webhooks, two for health, JSON everywhere."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException

from webhook.receive import Edge

RETRY_AFTER_S = 30
JSON = "application/json"


def create_app(edge: Edge, *, problem: Callable[[], str | None]) -> Flask:
    """The app around an edge; `problem` says why nothing can be saved, or None."""
    app = Flask("webhook", static_folder=None)

    @app.post("/webhooks/<gateway>")
    def webhook(gateway: str) -> Response:
        status, body = edge.receive(gateway, request.environ)
        response = Response(body, status, mimetype=JSON)
        if status == 503:  # noqa: PLR2004
            response.headers["Retry-After"] = str(RETRY_AFTER_S)
        return response

    @app.get("/livez")
    def livez() -> Response:
        return Response(b'{"status":"alive"}', mimetype=JSON)

    @app.get("/readyz")
    def readyz() -> Response:
        if found := problem():
            return Response(json.dumps({"status": "not-ready", "reason": found}), 503, mimetype=JSON)
        return Response(b'{"status":"ready"}', mimetype=JSON)

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        """Answer in JSON whatever the framework refuses: another path, another method."""
        body = json.dumps({"status": "refused", "reason": str(error.name).lower().replace(" ", "-")})
        response = Response(body, error.code, mimetype=JSON)
        if allowed := getattr(error, "valid_methods", None):
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    return app
