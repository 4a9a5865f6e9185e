"""Build the edge from the settings: its writer, its announcer, its record of refusals."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from flask import Flask

from config.broker import sender
from config.clock import clock_from
from config.settings import Gateway, Settings
from gateway.checks import checks_from
from inbox.announcing import Announcer
from inbox.arrivals import Writer, saver
from inbox.readiness import Readiness
from inbox.refusals import Refusals
from webhook.app import create_app
from webhook.receive import Edge

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """The app and the threads behind it."""

    app: Flask
    writer: Writer
    announcer: Announcer
    refusals: Refusals

    def close(self) -> None:
        """Save, announce and record what waits."""
        self.writer.close()
        self.announcer.close()
        self.refusals.close()


def build(settings: Settings, *, database_url: str, broker_url: str) -> Built:
    """The whole edge; its threads run when it returns. Raises `SettingsError`."""
    gateways = {gateway.name: gateway for gateway in settings.gateways()}
    checks = checks_from(settings)
    clock = clock_from(settings.clock_file)
    _tell_of_keys(gateways.values(), clock.now())
    announcer = Announcer(sender(broker_url), silence_s=settings.announce_silence_s)
    writer = Writer(
        partial(
            saver, database_url, reuse_max=settings.signature_reuse_max, first_announce_s=settings.first_announce_s
        ),
        announce=announcer.announce,
        wait_s=settings.commit_wait_s,
        queue_limit=settings.writer_queue,
        waiting_while_away=max(1, settings.edge_threads // 2),
    )
    refusals = Refusals(database_url, secrets=_secrets(gateways.values()))
    edge = Edge(
        gateways=gateways,
        checks=checks,
        clock=clock,
        save=writer.save,
        refusals=refusals,
        body_max_bytes=settings.body_max_bytes,
    )
    app = create_app(edge, problem=partial(_problem, writer, Readiness(database_url)))
    return Built(app=app, writer=writer, announcer=announcer, refusals=refusals)


def _tell_of_keys(gateways: Collection[Gateway], now: datetime) -> None:
    """Say at the start what would else be found by every webhook being refused."""
    if not gateways:
        log.error("edge.no-gateway", fix="set TIEOUT_GATEWAY_NAME and its keys: every webhook is answered 404")
    for gateway in gateways:
        if not any(key.valid_at(now) for key in gateway.api_secrets):
            fix = "set its API secrets, with windows that hold today: every webhook of it is answered 503"
            log.error("edge.no-valid-key", gateway=gateway.name, fix=fix)


def _secrets(gateways: Iterable[Gateway]) -> list[bytes]:
    return [key.secret for gateway in gateways for key in (*gateway.api_secrets, *gateway.secrets)]


def _problem(writer: Writer, readiness: Readiness) -> str | None:
    if found := readiness.problem():
        return found
    return "the last commit failed; trying again" if writer.failed else None
