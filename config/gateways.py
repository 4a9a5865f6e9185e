"""The company's gateways: what is known of each, and the file that names several.

The file holds no secret, only the names of the settings that do.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from config.environments import PRODUCTION, STAGING, environment_of, is_play
from config.keys import BadKeyError, Key, parse_keys

RATE, AT_ONCE = 8, 4  #: calls a second, and at the same time, unless a gateway says otherwise

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
        tables = tomllib.loads(path.read_text()).get("gateway", [])
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: {error}") from None
    return tuple(_from_table(table, path, secret) for table in tables)


def _from_table(table: dict[str, str], path: Path, secret: Secret) -> Gateway:
    for name in ("name", "url", "secrets_setting", "api_secrets_setting"):
        if name not in table:
            raise SettingsError(f"{path}: a [[gateway]] has no {name}")
    return Gateway(
        name=checked_name(table["name"]),
        url=table["url"].rstrip("/"),
        secrets=keys_of(table["secrets_setting"], secret(table["secrets_setting"], path)),
        api_secrets=keys_of(table["api_secrets_setting"], secret(table["api_secrets_setting"], path)),
        orders_path=table.get("orders_path") or None,
        rate_per_s=int(table.get("rate", RATE)),
        at_once=int(table.get("at_once", AT_ONCE)),
        book="test" if table.get("book") == "test" or is_play(table["url"]) else "live",
    )


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
