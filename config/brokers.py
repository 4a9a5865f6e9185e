"""What the figures of each broker's holdings mean, out of `config/brokers.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from recon.holdings.values import AS_FEWER, AS_POSITION, BESIDE, IN_HELD, LEFT_OUT, Adapter

BROKERS_FILE: Final = Path(__file__).with_name("brokers.toml")
_DEFAULT: Final = "default"
_PLAY_MONEY: Final = "-leprechaun"
_PLACES: Final = (IN_HELD, BESIDE, LEFT_OUT)
_WORDS: Final = {field.name: _PLACES for field in fields(Adapter) if field.name not in ("name", "sold")} | {
    "sold": (AS_POSITION, AS_FEWER)
}


class BadBrokersError(ValueError):
    """The file cannot be understood; the message names the entry and the fix."""


class Brokers:
    """The adapters by broker."""

    def __init__(self, adapters: Mapping[str, Adapter]) -> None:
        """Take them, one of them named `default`."""
        self._adapters = adapters

    def adapter(self, broker: str | None) -> Adapter:
        """That broker's, else the default one; play money goes by the broker it is played at."""
        name = (broker or "").lower().removesuffix(_PLAY_MONEY)
        return self._adapters.get(name, self._adapters[_DEFAULT])


@lru_cache(maxsize=8)
def read_brokers(file: Path = BROKERS_FILE) -> Brokers:
    """The adapters, read once a process. Raises `BadBrokersError`."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadBrokersError(f"{file}: {error}") from None
    default = _adapter(Adapter(), _DEFAULT, tables.get(_DEFAULT, {}), file)
    named = {name.lower(): _adapter(default, name.lower(), table, file) for name, table in tables.items()}
    return Brokers({**named, _DEFAULT: default})


def _adapter(default: Adapter, name: str, table: Any, file: Path) -> Adapter:
    if not isinstance(table, dict):
        raise BadBrokersError(f"{file}: {name} is no table: write [{name}] and its entries below")
    for key, value in table.items():
        if key not in _WORDS:
            raise BadBrokersError(f"{file}: [{name}] names {key!r}: there is {', '.join(_WORDS)}")
        if value not in _WORDS[key]:
            raise BadBrokersError(f"{file}: [{name}] says {key} = {value!r}: write one of {', '.join(_WORDS[key])}")
    return replace(default, name=name, **table)
