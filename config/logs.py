"""Log lines: one JSON object each, on standard error, with ids from the context and without secrets.

Code logs with `structlog.get_logger()` and names its events in reverse-domain form, such as
`inbox.event.parked`. Ids that all lines of a request or a unit share are bound with `bound`.
Records of the standard library's logging take the same way out.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Callable, Iterable, MutableMapping, Sequence
from typing import Any, Final, TextIO
from urllib.parse import quote, unquote, urlsplit

import structlog
from pydantic import SecretStr
from structlog.contextvars import bound_contextvars as bound
from structlog.contextvars import merge_contextvars
from structlog.typing import Processor, WrappedLogger

from config.settings import Settings

__all__ = ["bound", "configure_logging", "secrets_of"]

HIDDEN: Final = "[secret]"
#: Values under these names are never shown, whatever they are.
SECRET_NAMES: Final = frozenset(
    {"x-gateway-secret", "x-gateway-authtoken", "authtoken", "authorization", "cookie", "set-cookie", "password"}
)
_SHORTEST = 5  #: a shorter secret would blot out common words
_QUIET = {"urllib3": logging.WARNING, "alembic": logging.WARNING, "kombu": logging.WARNING, "amqp": logging.WARNING}

EventDict = MutableMapping[str, Any]


def configure_logging(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send every log line of this process to the stream, standard error if none is given."""
    output = stream or sys.stderr
    level = logging.getLevelNamesMapping()[settings.log_level]
    shared = _shared()
    ending = _ending(settings, output)
    structlog.configure(
        processors=[*shared, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(capture=True)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, least))


def secrets_of(settings: Settings) -> frozenset[str]:
    """Every secret text of the settings: keys, and the passwords within addresses."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    texts = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
    keys = [key.secret.decode() for gateway in settings.gateways() for key in (*gateway.secrets, *gateway.api_secrets)]
    found = {*keys, *(password for text in texts if "://" in text for password in _passwords(text))}
    return frozenset(secret for secret in found if len(secret) >= _SHORTEST)


def _shared() -> list[Processor]:
    return [
        merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _hide_names,
    ]


def _ending(settings: Settings, output: TextIO) -> list[Processor]:
    """Render, then blot out secrets in what was rendered: there nothing can hide."""
    if settings.log_format == "json":
        render: Processor = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    else:
        render = structlog.dev.ConsoleRenderer(colors=output.isatty())
    return [render, _hide_values(secrets_of(settings))]


def _hide_names(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    return {name: _shown(name, value) for name, value in event.items()}


def _shown(name: str, value: object) -> object:
    """A value as it may be shown: hidden if its name says so, looked through if it holds names."""
    if name.lower().replace("_", "-") in SECRET_NAMES:
        return HIDDEN
    if isinstance(value, dict):
        return {str(inner): _shown(str(inner), held) for inner, held in value.items()}
    return value


def _hide_values(secrets: Iterable[str]) -> Callable[[WrappedLogger, str, Any], str]:
    forms = {form for secret in secrets for form in (secret, json.dumps(secret)[1:-1], quote(secret, safe=""))}
    if not forms:
        return lambda _, __, line: line
    pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    return lambda _, __, line: pattern.sub(HIDDEN, line)


def _passwords(url: str) -> Sequence[str]:
    password = urlsplit(url).password
    return (password, unquote(password)) if password else ()
