"""Every setting, read and checked in this one place; `docs/settings.md` is made from it.

A setting NAME is read from `TIEOUT_NAME`, from `.env`, or, for secrets, from the file that
`TIEOUT_NAME_FILE` names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.bounds import Count, Port, Seconds, check_addresses
from config.environments import is_play
from config.gateways import (
    AT_ONCE,
    RATE,
    Gateway,
    SettingsError,
    check_keys,
    checked_name,
    checked_url,
    gateways_in,
    keys_of,
)
from config.keys import BadKeyError
from config.rulesets import find_rule_set

__all__ = ["PREFIX", "SECRETS", "Gateway", "Settings", "SettingsError"]
__all__ += ["adopt", "child_environment", "load_settings"]

PREFIX = "TIEOUT_"
SECRETS = ("gateway_secrets", "gateway_api_secrets", "database_url", "broker_url")


class Settings(BaseSettings):
    """All settings with their defaults; each description is its documentation."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    home: Path = Field(Path(".tieout"), description="Where state lies: embedded servers, backups, logs.")
    database_url: SecretStr | None = Field(
        None, description="Your PostgreSQL, 15 or newer; absent means the embedded one."
    )
    broker_url: SecretStr | None = Field(
        None, description="Your Redis or Valkey, 6.2 or newer, noeviction; absent means the embedded one."
    )
    gateway_name: str = Field("", description="Your gateway's name, as in its API's addresses.")
    gateway_url: str = Field("https://gatewayapi.smallcase.com", description="The Gateway's API host.")
    gateway_secrets: SecretStr = Field(
        SecretStr(""), description="JWT secrets, `id[@FROM/UNTIL]:secret`, white space between several."
    )
    gateway_api_secrets: SecretStr = Field(
        SecretStr(""), description="API secrets, in the same form; they also sign webhooks."
    )
    gateway_orders_path: str = Field(
        "", description="Path of the stocks order-details API, {gateway} filled in; unset: not asked."
    )
    gateway_rate: int = Field(
        RATE, ge=1, description="Calls a second to one gateway, over all processes; from 1000 on nothing is limited."
    )
    gateway_at_once: int = Field(
        AT_ONCE, ge=1, description="Calls under way at one gateway at once, over all processes."
    )
    public_url: str = Field(
        "", description="Where the Gateway reaches your edge, such as https://hooks.example.com; shown, never called."
    )
    production_keys: str = Field(
        "", description="Fingerprints of your production keys (`tieout doctor` shows them): refused at a staging host."
    )
    staging_keys: str = Field("", description="Fingerprints of your staging keys: refused at the production host.")
    gateways_file: Path = Field(Path("config/gateways.toml"), description="Several gateways; holds no secret.")
    statuses_file: Path = Field(
        Path("config/statuses.toml"), description="Your books' status words in the Gateway's leg words."
    )
    clock_file: Path | None = Field(None, description="Only with the simulator: the file that tells the time.")
    simulated: bool = Field(default=False, description="Set by `tieout up` when the simulator plays the Gateway.")
    looking_back: bool = Field(default=False, description="Set by `tieout up --last`: the day is over, nothing runs.")

    edge_host: str = Field("127.0.0.1", description="Address the edge listens on.")
    edge_port: Port = Field(8080, description="Port of the edge.")
    edge_threads: int = Field(64, ge=1, description="Requests the edge handles at once, per process.")
    edge_processes: int = Field(1, ge=1, description="Processes of the edge.")
    console_port: Port = Field(8081, description="Port of the console, on the loopback only.")
    simulator_port: Port = Field(8090, description="Port of the simulator, on the loopback only.")
    worker_processes: int = Field(2, ge=1, description="Processes of one worker.")

    body_max_bytes: Count = Field(1 << 20, description="Largest webhook body taken; above it 413.")
    json_max_depth: Count = Field(32, description="Deepest nesting of a webhook body.")
    number_max_digits: Count = Field(40, description="Longest number in a webhook body.")
    commit_wait_s: Seconds = Field(5.0, description="How long a webhook waits for its commit before 503.")
    writer_queue: Count = Field(2000, description="Webhooks that may wait for the writer before 503.")
    webhook_max_age: timedelta = Field(timedelta(days=7), description="An older webhook is refused as stale.")
    signature_reuse_max: Count = Field(20, description="Bodies one signature may carry before the rest are refused.")
    checksum_orders: str = Field(
        "hex {timestamp}{smallcaseAuthId}",
        description="Checksum of order webhooks: `hex` or `base64`, a space, then the signed text.",
    )
    checksum_holdings: str = Field(
        "hex {timestamp}{smallcaseAuthId}", description="Checksum of holdings webhooks, in the same form."
    )
    checksum_mf_holdings: str = Field(
        "hex {timestamp}{transactionId}", description="Checksum of mutual-fund webhooks, in the same form."
    )
    edge_read_s: int = Field(10, ge=1, le=60, description="Longest time a webhook's headers, and its body, may take.")
    edge_metrics_port: Port | None = Field(
        None, description="Loopback port of the edge's metrics, one port more for each further process; unset: none."
    )
    announce_silence_s: Seconds = Field(5.0, description="How long the edge announces nothing after a broker failure.")

    api_hosts: str = Field(
        "",
        description="Further Host names, white space between, under which the private API answers behind your proxy.",
    )
    api_body_bytes: int = Field(64 << 10, ge=1024, description="Largest body of a request to the private API.")
    token_lifetime: timedelta = Field(
        timedelta(minutes=15),
        gt=timedelta(0),
        le=timedelta(days=1),
        description="How long a token that your backend asks for is good.",
    )

    holdings_after_close: timedelta = Field(
        timedelta(minutes=45), description="Holdings are fetched so long after a session's close, once a session."
    )
    holdings_funds: bool = Field(default=True, description="Ask for mutual funds with the holdings.")
    holdings_investments: bool = Field(
        default=True, description="Ask for investments in smallcases after the holdings."
    )
    accounts_exclusive: bool = Field(default=True, description="Nobody trades in the accounts but through you.")
    positions_include: str = Field(
        "pledged mtf blocked", pattern=r"^(pledged|mtf|blocked|[ ,])*$", description="Which of these positions include."
    )
    holdings_deadline_s: Seconds = Field(30.0, description="Longest time for all calls about one account's holdings.")

    first_announce_s: Count = Field(30, description="When the sweep takes up an event that nobody announced.")
    ask_pause_s: int = Field(10, description="A transaction is asked for at most once in so many seconds.")
    call_deadline_s: Seconds = Field(10.0, description="Longest call to the Gateway, answer read whole.")
    task_limit_s: Count = Field(45, description="Longest task of a worker.")
    lease_s: Count = Field(60, description="How long a claim lasts; longer than the longest task.")
    sweep_s: Seconds = Field(2.0, description="Pause between two sweeps.")
    queue_pause: Count = Field(5000, description="The sweep announces nothing while a queue is longer.")

    webhook_grace: timedelta = Field(timedelta(minutes=30), description="A webhook later than this is missed.")
    feed_silence: timedelta = Field(
        timedelta(hours=2),
        description="Session time without a word of new transactions after which the feed is silent.",
    )
    open_grace: timedelta = Field(timedelta(minutes=30), description="An open order is stale so long after close.")
    books_due: time = Field(time(20, 0), description="IST; when the books of a trade date are due.")
    close_pending_most: int = Field(
        0, ge=0, description="Pending lines and webhooks with which a day may be closed without a reason given."
    )
    rules: str = Field(
        "default",
        description="Rule set: a name, name@version, or a file ending in .toml; the settings below it replace its own.",
    )
    price_places: int = Field(2, ge=0, le=6, description="Places to which both sides publish prices.")
    amount_places: int = Field(2, ge=0, le=6, description="Places to which batch amounts are published.")
    price_slack: Decimal = Field(Decimal(0), ge=0, description="Rupees a share allowed beyond rounding.")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least log level.")
    log_format: Literal["json", "text"] = Field("json", description="Form of the log lines.")

    @field_validator("rules")
    @classmethod
    def _a_rule_set(cls, value: str) -> str:
        find_rule_set(value)
        return value

    @field_validator("clock_file", "database_url", "broker_url", "edge_metrics_port", mode="before")
    @classmethod
    def _empty_is_absent(cls, value: object) -> object:
        return value or None

    @field_validator(
        "token_lifetime",
        "webhook_max_age",
        "webhook_grace",
        "open_grace",
        "feed_silence",
        "holdings_after_close",
        mode="before",
    )
    @classmethod
    def _plain_number_is_seconds(cls, value: object) -> object:
        return int(value) if isinstance(value, str) and value.isdecimal() else value

    def gateways(self) -> tuple[Gateway, ...]:
        """All gateways: the one of the settings first, then those of the file.

        Raises `SettingsError`.
        """
        named = (_from_settings(self),) if self.gateway_name else ()
        own = self.public_url and checked_url(self.public_url, "TIEOUT_PUBLIC_URL")
        gateways = tuple(
            replace(each, public_url=each.public_url or own or None)
            for each in (*named, *gateways_in(self.gateways_file, _named_secret))
        )
        if len({g.name for g in gateways}) != len(gateways):
            raise SettingsError(f"two gateways have the same name: rename one in {self.gateways_file}")
        for gateway in gateways:
            check_keys(gateway, production=self.production_keys, staging=self.staging_keys)
        return gateways

    def gateway(self, name: str) -> Gateway:
        """The gateway of that name. Raises `SettingsError`."""
        for gateway in self.gateways():
            if gateway.name == name:
                return gateway
        raise SettingsError(f"no gateway is named {name!r}: set TIEOUT_GATEWAY_NAME or add it to {self.gateways_file}")


def load_settings() -> Settings:
    """Read and check all settings.

    Raises `SettingsError`, in words a person can act on and without any secret.
    """
    try:
        settings = Settings(**_secret_files())  # type: ignore[arg-type]
        check_addresses(settings.database_url, settings.broker_url)
        gateways = settings.gateways()
    except ValidationError as error:
        raise SettingsError(_in_words(error)) from None
    except BadKeyError as error:
        raise SettingsError(str(error)) from None
    if settings.clock_file and gateways and not settings.simulated:
        raise SettingsError("TIEOUT_CLOCK_FILE moves time and is only for the simulator: unset it when keys are set")
    return settings


def adopt(env: Mapping[str, str]) -> Settings:
    """Make these settings, by their full names, those of this process and its children."""
    os.environ.update(env)
    return load_settings()


def child_environment(env: Mapping[str, str], *, own: bool = True) -> dict[str, str]:
    """The environment of a child process: ours, with our settings or without, and these."""
    inherited = {name: value for name, value in os.environ.items() if own or not name.startswith(PREFIX)}
    return {**inherited, **env}


def _secret_files() -> dict[str, str]:
    found = {}
    for name in SECRETS:
        if path := os.environ.get(f"{PREFIX}{name.upper()}_FILE"):
            found[name] = _read_secret(f"{PREFIX}{name.upper()}_FILE", path)
    return found


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: cannot read {path}: {error}") from None


def _in_words(error: ValidationError) -> str:
    lines = [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}; see docs/settings.md" for e in error.errors()]
    return "\n".join(lines)


def _from_settings(settings: Settings) -> Gateway:
    return Gateway(
        name=checked_name(settings.gateway_name),
        url=checked_url(settings.gateway_url, "TIEOUT_GATEWAY_URL"),
        secrets=keys_of("TIEOUT_GATEWAY_SECRETS", settings.gateway_secrets.get_secret_value()),
        api_secrets=keys_of("TIEOUT_GATEWAY_API_SECRETS", settings.gateway_api_secrets.get_secret_value()),
        orders_path=settings.gateway_orders_path or None,
        rate_per_s=settings.gateway_rate,
        at_once=settings.gateway_at_once,
        book="test" if settings.simulated or is_play(settings.gateway_url) else "live",
    )


def _named_secret(name: str, path: Path) -> str:
    given = {**dotenv_values(".env"), **os.environ}
    if value := given.get(name):
        return value
    if file := given.get(f"{name}_FILE"):
        return _read_secret(f"{name}_FILE", file)
    raise SettingsError(f"{path} names the setting {name}, which is not set")
