"""`tieout doctor --gateway`: ask the real API with the real keys, and tell which of them is wrong.

The question is for a transactionId that nobody has: the right keys are told that it is unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from config.settings import Gateway
from gateway.client import GatewayClient, GatewayError, GatewayOurs, Reply, answer_of
from gateway.fields import WireError
from gateway.wire import NoSuchTransaction, error_words
from tieout.checks import Check

DEADLINE = timedelta(seconds=10)
RIGHT, WRONG = "right", "wrong"

Ask = Callable[[Gateway, str], Reply]


def ask(gateway: Gateway, transaction_id: str) -> Reply:
    """One call to the API. Raises `GatewayError`."""
    return GatewayClient(gateway, deadline=DEADLINE).ask_details(transaction_id)


def gateway_check(gateway: Gateway, *, ask: Ask = ask) -> Check:
    """Whether the API takes this gateway's keys; if not, whether it takes them crossed."""
    name = f"gateway {gateway.name}"
    verdict, told = _verdict(gateway, ask)
    if verdict == RIGHT:
        return Check(check=name, ok=True, detail=f"{gateway.url} takes both keys")
    if verdict != WRONG:
        fix = "check the network, TIEOUT_GATEWAY_URL and a proxy; then ask again"
        return Check(check=name, ok=False, detail=f"{gateway.url} gave no answer: {told}", fix=fix)
    crossed = replace(gateway, secrets=gateway.api_secrets, api_secrets=gateway.secrets)
    if _verdict(crossed, ask)[0] == RIGHT:
        fix = "swap TIEOUT_GATEWAY_SECRETS and TIEOUT_GATEWAY_API_SECRETS"
        return Check(check=name, ok=False, detail="the two keys are crossed: each is in the other's place", fix=fix)
    fix = "compare the fingerprints above with the keys you were sent, and the gateway's name; ask the Gateway team"
    return Check(check=name, ok=False, detail=f"{gateway.url} refuses these keys: {told}", fix=fix)


def _verdict(gateway: Gateway, ask_: Ask) -> tuple[str, str]:
    """Right, wrong or unknown, and what the API said."""
    transaction_id, words = f"TRX_{uuid4().hex}", ""
    try:
        reply = ask_(gateway, transaction_id)
        words = error_words(reply.body)
        answer_of(reply, transaction_id)
    except NoSuchTransaction:
        return RIGHT, ""
    except GatewayOurs as error:
        return WRONG, f"{error}; it says: {words}" if words else str(error)
    except (GatewayError, WireError) as error:
        return "unknown", str(error)
    return RIGHT, ""
