"""A worker as in production, beside a broker and a database that a test may break."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

from config.broker import sender
from tests.gateway_stub import gateway_stub
from tests.worker_service import Service

LEASE_S = 3


@pytest.fixture(name="service")
def _service(engine: Engine, database_url: str, broker_url: str, tmp_path: Path) -> Iterator[Service]:
    """A service that is not yet started; it is ended whatever happens."""
    broker = redis.Redis.from_url(broker_url)
    broker.flushall()
    with gateway_stub() as stub:
        environment = {
            **os.environ,
            "TIEOUT_DATABASE_URL": database_url,
            "TIEOUT_BROKER_URL": broker_url,
            "TIEOUT_GATEWAY_NAME": "demo",
            "TIEOUT_GATEWAY_URL": stub.url,
            "TIEOUT_GATEWAY_SECRETS": "k1:jwt-secret-of-the-chaos-tests-0123456789",
            "TIEOUT_GATEWAY_API_SECRETS": "k1:api-secret-of-the-chaos-tests-0123456789",
            "TIEOUT_GATEWAY_RATE": "10000",
            "TIEOUT_LEASE_S": str(LEASE_S),
            "TIEOUT_FIRST_ANNOUNCE_S": "1",
            "TIEOUT_ASK_PAUSE_S": "0",
            "TIEOUT_SWEEP_S": "0.3",
            "TIEOUT_CALL_DEADLINE_S": "8",
            "TIEOUT_SIMULATED": "1",
            "TMPDIR": str(tmp_path),  # a worker that is killed leaves a folder there
        }
        service = Service(engine, stub, broker, sender(broker_url), environment, tmp_path / "worker.log")
        try:
            yield service
        finally:
            service.stop()
            service.sender.close()
            broker.close()
            if service.log.exists():
                sys.stdout.write(service.log.read_text()[-6000:])
