"""Calls to the Gateway's API. Every call ends within its deadline and says what to do if it failed.

`ask_*` return what came, whatever the status; `answer_of` and `orders_of` read it or raise an error
whose `kind` is what `inbox.decide` goes by. No error, log line or repr holds a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

import requests
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from config.clock import Clock, SystemClock, since_start
from config.keys import Key
from config.settings import Gateway
from gateway.deadline import TimedAdapter, until
from gateway.fields import Nonsense
from gateway.rate import Limiter, NoTurnError, Turn
from gateway.replies import (
    MAX_RETRY_AFTER,
    TOO_MANY,
    GatewayBusy,
    GatewayError,
    GatewayNoTurn,
    GatewayOurs,
    GatewayRefused,
    GatewayUnclear,
    Reply,
    answer_of,
    orders_of,
    pause_asked_for,
    raise_for,
    retry_after,
)
from gateway.tokens import connected_token, guest_token

__all__ = ["GatewayBusy", "GatewayClient", "GatewayError", "GatewayNoTurn", "GatewayOurs", "GatewayRefused"]
__all__ += ["MAX_RETRY_AFTER", "TOO_MANY", "GatewayUnclear", "Reply", "answer_of", "orders_of", "pause_asked_for"]
__all__ += ["raise_for", "retry_after"]

MAX_ANSWER_BYTES: Final = 16 << 20
RENEW_AFTER: Final = timedelta(minutes=5)  #: a token lives three times as long
CONNECT: Final = timedelta(seconds=3)
_LEAST: Final = timedelta(milliseconds=100)
_CHUNK: Final = 1 << 16
_RESET: Final = timedelta(seconds=1)  #: a connection that fails this early was an old one, closed by the other side


@dataclass(frozen=True, slots=True)
class _As:
    """As whom a call is made, None for a guest, and how long it may take."""

    account: str | None
    deadline: timedelta


class GatewayClient:
    """The API of one gateway. One per process: it keeps its connection open."""

    def __init__(
        self, gateway: Gateway, *, deadline: timedelta, wall: Clock | None = None, limiter: Limiter | None = None
    ) -> None:
        """Make the client; nothing is connected before the first call. Without a limiter nothing is limited.

        Tokens are between two machines, so their times are the wall's, even when the domain's clock is moved.
        """
        self._limiter = limiter
        self._gateway, self._deadline, self._wall = gateway, deadline, wall or SystemClock()
        self._session = session_to(gateway.url)
        self._token: tuple[datetime, str] | None = None

    def __repr__(self) -> str:
        """Name the gateway, and no more."""
        return f"GatewayClient({self._gateway.name})"

    def ask_details(self, transaction_id: str, *, turn: Turn | None = None) -> Reply:
        """Ask for one transaction, with a turn taken before or one of its own.

        Raises `GatewayNoTurn` if it may not be asked just now, `GatewayBusy` without an answer,
        `GatewayOurs` without keys.
        """
        path = f"/v1/{quote(self._gateway.name, safe='')}/engine/transactiondetails"
        return self._get(path, {"transactionId": transaction_id}, turn=turn)

    def ask_orders(self, transaction_ids: Sequence[str]) -> Reply:
        """Ask for the orders of several transactions in one call. Raises as `ask_details`."""
        if not self._gateway.orders_path:
            raise GatewayOurs("no path of the order details is set: set TIEOUT_GATEWAY_ORDERS_PATH")
        path = self._gateway.orders_path.replace("{gateway}", quote(self._gateway.name, safe=""))
        return self._get(path, {"transactionId": ",".join(transaction_ids)})

    def ask_holdings(
        self, account: str, *, funds: bool, deadline: timedelta | None = None, turn: Turn | None = None
    ) -> Reply:
        """Ask for what that account (smallcaseAuthId) holds, as itself; mutual funds too if wanted.

        Such answers are slow, so they may have a deadline of their own. Raises as `ask_details`.
        """
        query = {"version": "v2", "mfHoldings": "true" if funds else "false"}
        return self._get(self._user_path("holdings"), query, _As(account, deadline or self._deadline), turn=turn)

    def ask_investments(self, account: str, *, deadline: timedelta | None = None, turn: Turn | None = None) -> Reply:
        """Ask for that account's investments in smallcases, as itself. Raises as `ask_details`."""
        query = {"aggregatedData": "true"}
        return self._get(self._user_path("investments"), query, _As(account, deadline or self._deadline), turn=turn)

    def _user_path(self, what: str) -> str:
        return f"/v1/{quote(self._gateway.name, safe='')}/engine/user/{what}"

    def _get(self, path: str, query: Mapping[str, str], who: _As | None = None, *, turn: Turn | None = None) -> Reply:
        begun, who = since_start(), who or _As(None, self._deadline)
        try:
            return self._in_turn(path, query, begun, who, turn)
        except requests.ConnectionError as error:
            if isinstance(error, requests.Timeout) or since_start() - begun > _RESET:
                raise GatewayBusy(f"no answer: {type(error).__name__}") from None
        except requests.RequestException as error:
            raise GatewayBusy(f"no answer: {type(error).__name__}") from None
        try:
            return self._in_turn(path, query, begun, who, None)
        except requests.RequestException as error:
            raise GatewayBusy(f"no answer: {type(error).__name__}") from None

    def _in_turn(self, path: str, query: Mapping[str, str], begun: timedelta, who: _As, turn: Turn | None) -> Reply:
        """Send one request. Each takes a turn: it may reach the far side even if no answer comes."""
        turn = turn or take_turn(self._limiter, self._gateway, hold=who.deadline)
        try:
            with until(begun + who.deadline):
                reply = self._once(path, query, begun, who)
        finally:
            if self._limiter:
                self._limiter.give_back(turn)
        if self._limiter and (pause := pause_asked_for(reply)):
            self._limiter.block(self._gateway, pause)
        return reply

    def _once(self, path: str, query: Mapping[str, str], begun: timedelta, who: _As) -> Reply:
        left = max(_LEAST, begun + who.deadline - since_start())
        with self._session.get(
            self._gateway.url + path,
            params=query,
            headers=self._headers(who.account),
            timeout=(min(CONNECT, left).total_seconds(), left.total_seconds()),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = read_whole(response, begun + who.deadline)
            return Reply(
                http_status=response.status_code,
                body=body,
                took_ms=(since_start() - begun) // timedelta(milliseconds=1),
                retry_after=retry_after(response.headers.get("Retry-After"), self._wall.now()),
            )

    def _headers(self, account: str | None) -> dict[str, str | bytes]:
        now = self._wall.now()
        token = self._fresh_token(now) if account is None else self._token_of(account, now)
        secret = first_valid(self._gateway.api_secrets, now, "TIEOUT_GATEWAY_API_SECRETS").secret
        return {"x-gateway-secret": secret, "x-gateway-authtoken": token, "Accept": "application/json"}

    def _fresh_token(self, now: datetime) -> str:
        """A guest token with at least ten minutes to live; one is kept for a few minutes."""
        if self._token is None or not timedelta(0) <= now - self._token[0] < RENEW_AFTER:
            key = first_valid(self._gateway.secrets, now, "TIEOUT_GATEWAY_SECRETS")
            self._token = now, guest_token(key, now=now)
        return self._token[1]

    def _token_of(self, account: str, now: datetime) -> str:
        """A token of that account alone, made for this call."""
        return connected_token(first_valid(self._gateway.secrets, now, "TIEOUT_GATEWAY_SECRETS"), account, now=now)


def take_turn(limiter: Limiter | None, gateway: Gateway, *, hold: timedelta) -> Turn | None:
    """A turn for one call that is under way no longer than `hold`. Raises `GatewayNoTurn`."""
    try:
        return limiter.take(gateway, hold=hold) if limiter else None
    except NoTurnError as error:
        raise GatewayNoTurn(str(error), retry_after=error.wait) from None


def read_whole(response: requests.Response, deadline: timedelta) -> bytes:
    """The whole body, within the deadline and the cap. Raises `GatewayBusy` or `Nonsense`.

    Read as it comes: waiting for full chunks would let a dripping answer outlive any deadline.
    """
    body = bytearray()
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body += chunk
            if len(body) > MAX_ANSWER_BYTES:
                raise Nonsense(f"the answer is larger than {MAX_ANSWER_BYTES} bytes")
            if since_start() > deadline:
                raise GatewayBusy("the answer did not end within the deadline")
    except HTTPError as error:
        raise GatewayBusy(f"the answer broke off: {type(error).__name__}") from None
    return bytes(body)


def session_to(url: str) -> requests.Session:
    """A session with the proxies that the environment names for that address, and without retries."""
    session = requests.Session()
    session.proxies.update(get_environ_proxies(url))
    session.trust_env = False  # read once above, not again for each call
    for scheme in ("http://", "https://"):
        session.mount(scheme, TimedAdapter(pool_connections=2, pool_maxsize=2, max_retries=0))
    return session


def first_valid(keys: Sequence[Key], now: datetime, setting: str) -> Key:
    """The first key that is valid now. Raises `GatewayOurs`, which names the setting."""
    for key in keys:
        if key.valid_at(now):
            return key
    raise GatewayOurs(f"no key of {setting} is valid now")
