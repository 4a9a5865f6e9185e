"""What a setting may be beyond its type: ports, counts, seconds, and addresses of the right form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

from pydantic import Field, SecretStr

from config.gateways import SettingsError

Port = Annotated[int, Field(ge=1, le=65535)]
Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]

DATABASE_SCHEMES: Final = ("postgresql", "postgres", "postgresql+psycopg")
BROKER_SCHEMES: Final = ("redis", "rediss")


def check_addresses(database: SecretStr | None, broker: SecretStr | None) -> None:
    """Refuse an address that names no PostgreSQL or no Redis; whether it answers is asked elsewhere.

    Raises `SettingsError`, which never shows the address: it holds a password.
    """
    _check(database, DATABASE_SCHEMES, "TIEOUT_DATABASE_URL", "postgresql://user:password@host:port/name")
    _check(broker, BROKER_SCHEMES, "TIEOUT_BROKER_URL", "redis://:password@host:port/0")


def _check(address: SecretStr | None, schemes: Iterable[str], name: str, form: str) -> None:
    if address is None:
        return
    scheme, mark, rest = address.get_secret_value().partition("://")
    if scheme not in schemes or not mark or not rest:
        raise SettingsError(f"{name} is not of the form {form}")


def out_of_order(call_s: float, task_s: float, lease_s: float) -> str | None:
    """What is wrong with these limits, of which each must be longer than the one before; None: nothing."""
    if call_s < task_s < lease_s:
        return None
    return (
        f"TIEOUT_CALL_DEADLINE_S ({call_s:g}), TIEOUT_TASK_LIMIT_S ({task_s:g}) and TIEOUT_LEASE_S ({lease_s:g})"
        " are not in rising order"
    )
