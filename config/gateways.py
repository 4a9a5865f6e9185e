"""The company's gateways: what is known of each, and the file that names several.

The file holds no secret, only the names of the settings that do.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from config.environments import PRODUCTION, STAGING, environment_of, is_play
from config.keys import BadKeyError, Key, parse_keys

RATE, AT_ONCE = 8, 4  #: calls a second, and at the same time, unless a gateway says otherwise
KNOWN = (
    *("name", "url", "secrets_setting", "api_secrets_setting"),
    *("orders_path", "rate", "at_once", "book", "public_url"),
)  #: what a [[gateway]] of the file may say

Secret = Callable[[str, Path], str]  #: the value of the setting that a file names


class SettingsError(Exception):
    """A setting is missing or wrong; the message says which, why, and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """One gateway of the company: where it is, its keys, its limits."""

    name: str
    url: str
    secrets: tuple[Key, ...]  #: sign and verify JSON Web Tokens
    api_secrets: tuple[Key, ...]  #: the x-gateway-secret header and the webhooks' checksum
    orders_path: str | None = None
    rate_per_s: int | None = None
    at_once: int = 4  #: calls under way at the same time, over all processes
    book: Literal["live", "test"] = "live"
    public_url: str | None = None  #: where the Gateway reaches our edge; shown to people, never called

    @property
    def webhook_path(self) -> str:
        """Where at the edge its webhooks are posted."""
        return f"/webhooks/{self.name}"


def checked_name(name: str) -> str:
    """The gateway's name if it may be one. Raises `SettingsError`."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        raise SettingsError(f"gateway name {name!r}: only letters, digits, - and _, at most 64")
    return name


def gateways_in(path: Path, secret: Secret) -> tuple[Gateway, ...]:
    """The gateways that the file names, none if there is no file. Raises `SettingsError`."""
    if not path.exists():
        return ()
    try:
        told = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}") from None
    tables = told.get("gateway", [])
    if told.keys() - {"gateway"} or not isinstance(tables, list):
        raise SettingsError(f"{path}: write each gateway under its own [[gateway]]; see config/gateways.example.toml")
    return tuple(_from_table(table, path, secret) for table in tables)


def _from_table(table: Mapping[str, Any], path: Path, secret: Secret) -> Gateway:
    told = _Table(table, path)
    jwt, api = told.needed("secrets_setting"), told.needed("api_secrets_setting")
    url = checked_url(told.needed("url"), f"{told.name}: url")
    book = told.text("book") or "live"
    if book not in {"live", "test"}:
        raise SettingsError(f"{told.name}: book is {book!r}: write live or test")
    return Gateway(
        name=checked_name(told.needed("name")),
        url=url,
        secrets=keys_of(jwt, secret(jwt, path)),
        api_secrets=keys_of(api, secret(api, path)),
        orders_path=told.text("orders_path"),
        rate_per_s=told.count("rate", RATE),
        at_once=told.count("at_once", AT_ONCE),
        book="test" if book == "test" or is_play(url) else "live",
        public_url=checked_url(public, f"{told.name}: public_url") if (public := told.text("public_url")) else None,
    )


class _Table:
    """One [[gateway]] of the file, whose entries are read by their kind. Raises `SettingsError`."""

    def __init__(self, table: Mapping[str, Any], path: Path) -> None:
        self._table, self.name = table, f"{path}: gateway {table.get('name', '')!r}"
        if strange := sorted(table.keys() - KNOWN):
            raise SettingsError(f"{self.name}: nobody reads {', '.join(strange)}; known are {', '.join(KNOWN)}")

    def text(self, key: str) -> str | None:
        value = self._table.get(key, "")
        if not isinstance(value, str):
            raise SettingsError(f"{self.name}: {key} is {value!r}: write it as text, in quotes")
        return value or None

    def needed(self, key: str) -> str:
        if (value := self.text(key)) is None:
            raise SettingsError(f"{self.name}: there is no {key}; see config/gateways.example.toml")
        return value

    def count(self, key: str, default: int) -> int:
        value = self._table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise SettingsError(f"{self.name}: {key} is {value!r}: write a whole number from 1 on, without quotes")
        return value


def checked_url(url: str, name: str) -> str:
    """The address without a slash at its end. Raises `SettingsError`."""
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", url):
        raise SettingsError(f"{name} is {url!r}: write it with https:// and a host")
    return url.rstrip("/")


def keys_of(name: str, value: str) -> tuple[Key, ...]:
    """The keys in the value of that setting. Raises `SettingsError`, which names the setting and no secret."""
    try:
        return parse_keys(value)
    except BadKeyError as error:
        raise SettingsError(f"{name}: {error}") from None


def check_keys(gateway: Gateway, *, production: str, staging: str) -> None:
    """Refuse a production key with a staging host, and the reverse.

    `production` and `staging` are fingerprints of keys, white space between them.
    Raises `SettingsError`, which names the key by its id and fingerprint.
    """
    environment = environment_of(gateway.url)
    listed = {PRODUCTION: production.lower().split(), STAGING: staging.lower().split()}
    for key in (*gateway.secrets, *gateway.api_secrets):
        for of, fingerprints in listed.items():
            if key.fingerprint in fingerprints and environment not in (None, of):
                raise SettingsError(
                    f"gateway {gateway.name}: key {key.key_id} ({key.fingerprint}) is listed as a {of} key,"
                    f" but {gateway.url} is {environment}: use the {environment} key, or the {of} address"
                )
