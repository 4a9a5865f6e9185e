"""What settling needs, over a test's own database and broker and a stand-in of the Gateway."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Engine

from config.settings import Settings
from tieout.shop import Shop
from worker.process import open_process

JWT, API = "jwt-secret-that-nobody-else-knows-0123456789", "api-secret-that-nobody-else-knows-0123456789"


@contextmanager
def a_shop(database_url: str, broker_url: str, gateway_url: str, **but: Any) -> Iterator[Shop]:
    """A process's own, with one gateway that may be asked as often as one likes; `but` are other settings."""
    named: dict[str, Any] = {
        "gateway_name": "demo",
        "gateway_secrets": f"k1:{JWT}",
        "gateway_api_secrets": f"k1:{API}",
        "gateway_rate": 10_000,
        "ask_pause_s": 0,
    }
    servers: dict[str, Any] = {"database_url": database_url, "broker_url": broker_url, "gateway_url": gateway_url}
    own = open_process(Settings(_env_file=None, **servers, **(named | but)))
    yield own.shop
    own.sender.close()
    own.shop.engine.dispose()


@contextmanager
def a_shop_on(engine: Engine, broker_url: str, gateway_url: str, **but: Any) -> Iterator[Shop]:
    """The same over an engine that there is already."""
    with a_shop(engine.url.render_as_string(hide_password=False), broker_url, gateway_url, **but) as shop:
        shop.engine.dispose()
        at_once = engine.execution_options(isolation_level="AUTOCOMMIT")
        yield replace(shop, engine=engine, at_once=at_once)
