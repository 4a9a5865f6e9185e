"""The console's Flask app: made by a function from what it needs, nothing built at import."""

from __future__ import annotations

from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import Engine, event

from config.clock import Clock, clock_from
from config.settings import Settings
from console import (
    accounts,
    away,
    breaks,
    completeness,
    days,
    events,
    health,
    holdings,
    overview,
    reference,
    shown,
    transactions,
)
from console.api.serving import serve_api
from console.desk import Desk
from console.guard import guard
from store.engine import connect
from tieout.desk.broker import BrokerWatch
from tieout.holding_states import plan_from
from tieout.office import Office, office_from
from tieout.rules import Rules, rules_from

API_CONNECTIONS = 8  #: none is held while the Gateway is asked
STATEMENT_TIMEOUT_MS = 5000  #: a page that takes longer is of no use
BLUEPRINTS = (
    overview.pages,
    days.pages,
    breaks.pages,
    completeness.pages,
    events.pages,
    transactions.pages,
    holdings.pages,
    accounts.pages,
    reference.pages,
    health.pages,
)


def create_app(
    settings: Settings,
    *,
    engine: Engine,
    watch: BrokerWatch,
    clock: Clock,
    rules: Rules,
    office: Office | None = None,
) -> Flask:
    """The console over that database and broker, read-only; with an office, the private API beside it."""
    app = Flask("console")
    app.url_map.strict_slashes = False
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["desk"] = Desk(
        engine=engine,
        watch=watch,
        clock=clock,
        rules=rules,
        simulated=settings.simulated,
        looking_back=settings.looking_back,
        gateways=tuple((gateway.name, str(gateway.book)) for gateway in settings.gateways()),
        limits=settings.gateways(),
        silence=settings.feed_silence,
        holdings=plan_from(settings),
    )
    guard(app, settings.console_port, api_hosts=settings.api_hosts.split())
    away.register(app)
    shown.register(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    if office is not None:
        serve_api(app, office, body_bytes=settings.api_body_bytes)
    return app


def app_from(settings: Settings, *, database_url: str, broker_url: str) -> Flask:
    """The console over the servers at those addresses; connections are made when first needed."""
    return create_app(
        settings,
        engine=reading_engine(database_url),
        watch=BrokerWatch(broker_url),
        clock=clock_from(settings.clock_file),
        rules=rules_from(settings),
        office=office_from(settings, database_url=database_url, broker_url=broker_url, connections=API_CONNECTIONS),
    )


def reading_engine(database_url: str) -> Engine:
    """An engine that cannot write, whatever it is told, and gives up a slow search early."""
    engine = connect(database_url, application="tieout-console")
    event.listen(engine, "connect", _read_briefly)
    return engine


def _read_briefly(connection: psycopg.Connection[Any], _record: object) -> None:
    connection.execute("set default_transaction_read_only = on")
    connection.execute(f"set statement_timeout = {STATEMENT_TIMEOUT_MS}")
    connection.commit()
