"""The private API put into the console's process."""

from __future__ import annotations

from flask import Flask

from console.api import accounts, answers, transactions
from console.api.door import api
from tieout.office import Office

VIEWS = (accounts, transactions)  #: modules whose import adds their views


def serve_api(app: Flask, office: Office, *, body_bytes: int) -> None:
    """Serve the API below /api/v1 with what the office holds."""
    app.extensions["office"] = office
    app.config["API_BODY_BYTES"] = body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    answers.register(app)
    app.register_blueprint(api)
