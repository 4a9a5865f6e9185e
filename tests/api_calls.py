"""The private API over a real database and broker, called as a company's backend calls it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, text
from werkzeug.test import TestResponse

from config.clock import FixedClock, SystemClock
from config.keys import Key
from config.settings import Gateway, Settings
from console.app import create_app
from gateway.rate import Limiter
from tieout.callers import SCOPES, make
from tieout.desk.broker import BrokerWatch
from tieout.office import Office
from tieout.rules import rules_from

PORT = 8081
HOST = f"127.0.0.1:{PORT}"
NOW = datetime(2026, 11, 20, 4, 45, tzinfo=UTC)
JWT, API = b"a-jwt-secret-of-forty-bytes-or-rather-more", b"an-api-secret-of-forty-bytes-or-rather-more"
BASKET = {"type": "SECURITIES", "securities": [{"ticker": "TCS", "quantity": 10, "type": "BUY"}]}


def a_gateway(url: str, *, name: str = "simulated", jwt: bytes = JWT, api: bytes = API) -> Gateway:
    """A gateway with two different secrets, unlimited."""
    return Gateway(
        name=name,
        url=url,
        secrets=(Key(key_id="j1", secret=jwt),),
        api_secrets=(Key(key_id="a1", secret=api),),
        rate_per_s=None,
        book="test",
    )


@dataclass(frozen=True)
class Said:
    """An answer of the API: always JSON."""

    status_code: int
    json: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Backend:
    """A company's backend: the app, its office, and a key."""

    app: Flask
    office: Office
    token: str = ""

    @property
    def engine(self) -> Engine:
        """The database that the API writes to."""
        return self.office.engine

    def key(self, *scopes: str, client: str = "backend", gateways: Sequence[str] = ()) -> str:
        """A new key with these scopes, all of them if none is named."""
        with self.engine.begin() as connection:
            return make(connection, client=client, scopes=scopes or list(SCOPES), gateways=gateways).token

    def post(self, path: str, document: object, **headers: str) -> Said:
        """Call with a body; a creation gets a new Idempotency-Key unless one is given."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return _said(self._client().post(f"/api/v1{path}", json=document, headers=self._headers() | given))

    def create(self, document: object, key: str | None = None) -> Said:
        """Create a transaction."""
        return self.post("/transactions", document, Idempotency_Key=key or str(uuid4()))

    def get(self, path: str) -> Said:
        """Read."""
        return _said(self._client().get(f"/api/v1{path}", headers=self._headers()))

    def one(self, sql: str, **named: object) -> tuple[object, ...]:
        """The one row of a question to the database."""
        with self.engine.connect() as connection:
            return tuple(connection.execute(text(sql), named).one())

    def all(self, sql: str, **named: object) -> list[tuple[object, ...]]:
        """Every row of a question to the database."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), named)]

    def _client(self) -> FlaskClient:
        return self.app.test_client()

    def _headers(self) -> dict[str, str]:
        return {"Host": HOST, "Authorization": f"Bearer {self.token}"}


def _said(response: TestResponse) -> Said:
    assert response.mimetype == "application/json", response.text
    return Said(response.status_code, dict(response.json or {}), dict(response.headers))


def backend(engine: Engine, broker_url: str, *gateways: Gateway, deadline_s: int = 5) -> Backend:
    """A backend with a key for everything."""
    settings = Settings(_env_file=None, console_port=PORT)
    clock, rules = FixedClock(NOW), rules_from(settings)
    office = Office(
        engine=engine,
        gateways={gateway.name: gateway for gateway in gateways},
        limiter=Limiter(broker_url),
        clock=clock,
        wall=SystemClock(),
        deadline=timedelta(seconds=deadline_s),
        token_lifetime=timedelta(minutes=15),
    )
    watch = BrokerWatch(broker_url)
    app = create_app(settings, engine=engine, watch=watch, clock=clock, rules=rules, office=office)
    made = Backend(app, office)
    made.token = made.key()
    return made
