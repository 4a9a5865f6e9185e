"""Log lines: their form, their ids, and what they never show."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from config.logs import bound, configure_logging, secrets_of
from config.settings import Settings

JWT, API, PASSWORD = 'jwt"s3cret', "api-s3cret", "p@ss/word"


def _settings(**changed: object) -> Settings:
    given = {
        "gateway_name": "acme",
        "gateways_file": Path("/nowhere"),
        "gateway_secrets": SecretStr(f"k1:{JWT}"),
        "gateway_api_secrets": SecretStr(f"k2:{API}"),
        "database_url": SecretStr("postgresql://u:p%40ss%2Fword@db.example/tieout"),
    }
    return Settings.model_construct(**{**given, **changed})  # type: ignore[arg-type]


@pytest.fixture(name="output")
def _output() -> Iterator[StringIO]:
    """Where the log goes; afterwards logging is as before."""
    root, kept = logging.getLogger(), (logging.getLogger().handlers[:], logging.getLogger().level)
    output = StringIO()
    configure_logging(_settings(), stream=output)
    yield output
    root.handlers[:], root.level = kept
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def _lines(output: StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_is_one_object_with_its_ids(output: StringIO) -> None:
    """What is bound goes into every line of the block, and no further."""
    log = structlog.get_logger()
    with bound(unit="acme:TRX_1"):
        log.info("inbox.unit.claimed", attempt=2)
    log.info("worker.idle")

    first, second = _lines(output)
    assert (first["event"], first["unit"], first["attempt"], first["level"]) == (
        "inbox.unit.claimed",
        "acme:TRX_1",
        2,
        "info",
    )
    assert "unit" not in second


def test_the_standard_library_logs_the_same_way(output: StringIO) -> None:
    """Other people's records come out as ours do."""
    logging.getLogger("granian").warning("worker %s", "died")

    (line,) = _lines(output)
    assert (line["event"], line["logger"], line["level"]) == ("worker died", "granian", "warning")


def test_no_secret_is_shown_wherever_it_hides(output: StringIO) -> None:
    """Neither in a value, nor nested, nor in a traceback, nor in somebody else's record."""
    log = structlog.get_logger()
    log.info("one", text=f"with {JWT} in it", nested={"list": [API]}, url=f"redis://:{PASSWORD}@host")
    logging.getLogger("other").error("%s", API)
    try:
        int(API)
    except ValueError:
        log.exception("two")

    shown = output.getvalue()
    assert not any(secret in shown for secret in (JWT, json.dumps(JWT)[1:-1], API, PASSWORD, "p%40ss%2Fword"))
    assert shown.count("[secret]") >= 5


def test_headers_that_hold_secrets_are_never_shown(output: StringIO) -> None:
    """Whatever their value, known or not."""
    headers = {"X-Gateway-Secret": "unknown1", "x-gateway-authtoken": "unknown2", "Authorization": "Bearer unknown3"}
    structlog.get_logger().info("asked", headers=headers, accept="json")

    assert "unknown" not in output.getvalue()
    assert '"accept": "json"' in output.getvalue()


def test_the_least_level_is_a_setting() -> None:
    """Lines below it are not written."""
    output = StringIO()
    configure_logging(_settings(log_level="WARNING"), stream=output)
    structlog.get_logger().info("quiet")
    logging.getLogger("x").info("quiet")
    structlog.get_logger().warning("loud")
    structlog.reset_defaults()

    assert [line["event"] for line in _lines(output)] == ["loud"]


def test_the_text_form_hides_secrets_too() -> None:
    """For people at a terminal the same holds."""
    output = StringIO()
    configure_logging(_settings(log_format="text"), stream=output)
    structlog.get_logger().info("one", text=API)
    structlog.reset_defaults()

    assert API not in output.getvalue()
    assert "one" in output.getvalue()


def test_passwords_within_addresses_count_as_secrets() -> None:
    """As they are written in the address, and as they are meant."""
    assert {PASSWORD, "p%40ss%2Fword", API, JWT} <= secrets_of(_settings())
