"""The private API as a company's backend meets it: the console's own process, a Gateway beside it, real HTTP.

Every refusal has its own reason; one key and one request create one transaction; no secret is in any log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import jwt
import requests
from sqlalchemy import text

from bench.company import SECRETS, Company, company_beside
from bench.proofs import Outcome
from tieout.callers import revoke, rotate

KEYS, CALLERS, LOST = 40, 8, 20
SOON = 4102444800  #: epoch seconds, in the year 2100
MADE, PASSED = 201, 200
GUEST = {"kind": "guest", "gateway": "simulated"}


def accounts() -> Outcome:
    """Every refusal, then idempotency, then what the log holds."""
    with TemporaryDirectory(prefix="tieout-prove-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        with company_beside(folder) as company:
            parts = [_refusals(company), _one_each(company), _lost(company), _nothing_leaks(company)]
    return Outcome(all(part.held for part in parts), [line for part in parts for line in part.lines])


# ---------------------------------------------------------------- refusals


def _refusals(company: Company) -> Outcome:
    held, lines = True, list[str]()
    reasons: dict[str, str] = {}
    for what, expected, call in _attempts(company):
        reply = call()
        reason = str(reply.json().get("reason", "none"))
        good = reason == expected and reasons.get(reason, what.partition(":")[0]) == what.partition(":")[0]
        reasons[reason] = what.partition(":")[0]
        held = held and good
        lines.append(f"{what}: {reply.status_code} {reason}{'' if good else f', expected {expected}'}")
        print(lines[-1], flush=True)
    return Outcome(held, [*lines, f"{len(lines)} refusals"])


Attempt = tuple[str, str, Callable[[], requests.Response]]


def _attempts(company: Company) -> Iterator[Attempt]:
    theirs = _account()
    company.link(_sdk(theirs), user="user-1").raise_for_status()
    company.secrets.append(company.mint(user="user-1").json()["token"])
    for what, expected, token in _bad_tokens():
        yield f"SDK token: {what}", expected, partial(company.link, token)
    yield "account of another user: link", "account-of-another-user", lambda: company.link(_sdk(theirs))
    yield (
        "account of another user: connected token",
        "account-of-another-user",
        lambda: company.mint(user="user-2", account=theirs),
    )
    yield "connected token: nobody's account", "account-not-linked", lambda: company.mint(user="u", account=_account())
    yield "connected token: user without account", "no-linked-account", lambda: company.mint(user="user-2")
    yield "Gateway: crossed keys", "gateway-refuses-keys", lambda: company.create(str(uuid4()), "crossed")
    yield from _bad_keys(company)


def _bad_tokens() -> Sequence[tuple[str, str, str]]:
    account = _account()
    return (
        ("API secret signed it", "crossed-keys", _sdk(account, key="SIMULATED_API")),
        ("forged", "bad-signature", jwt.encode({"smallcaseAuthId": account, "exp": SOON}, "x" * 64)),
        ("another gateway's secret", "other-gateway", _sdk(account, key="SECOND_JWT")),
        ("alg none", "alg-none", jwt.encode({"smallcaseAuthId": account, "exp": SOON}, None, algorithm="none")),
        ("alg HS512", "alg-other", _sdk(account, algorithm="HS512")),
        ("expired", "expired", _sdk(account, exp=1)),
        ("no expiry", "no-expiry", jwt.encode({"smallcaseAuthId": account}, SECRETS["SIMULATED_JWT"])),
        ("a guest's", "guest", _sdk(account, guest=True)),
        ("no account", "no-account", _sdk("nobody")),
        ("no token", "malformed", "this is no token"),
    )


def _bad_keys(company: Company) -> Iterator[Attempt]:
    revoked, old = company.key(), company.key()
    with company.engine.begin() as connection:
        revoke(connection, key_id=revoked.partition(".")[0], why="proof")
        rotate(connection, key_id=old.partition(".")[0], overlap=timedelta(0))
    narrow = company.key("transactions:read")
    for what, expected, token in (
        ("none", "no-key", ""),
        ("wrong secret", "bad-key", f"{company.token.partition('.')[0]}.{'A' * 43}"),
        ("revoked", "revoked-key", revoked),
        ("rotated away", "expired-key", old),
        ("without the scope", "missing-scope", narrow),
    ):
        yield f"API key: {what}", expected, partial(company.post, "/tokens", GUEST, token=token)


def _account() -> str:
    return uuid4().hex[:24]


def _sdk(account: str, *, key: str = "SIMULATED_JWT", algorithm: str = "HS256", **more: object) -> str:
    return jwt.encode({"smallcaseAuthId": account, "exp": SOON, **more}, SECRETS[key], algorithm=algorithm)


# ---------------------------------------------------------------- idempotency


def _one_each(company: Company) -> Outcome:
    before = _asked(company)
    keys = [str(uuid4()) for _ in range(KEYS)]
    with ThreadPoolExecutor(CALLERS) as pool:
        replies = list(pool.map(lambda key: (key, company.create(key)), [key for key in keys for _ in range(CALLERS)]))
    ids = {key: {r.json()["transactionId"] for k, r in replies if k == key and r.status_code == MADE} for key in keys}
    asked, statuses = _asked(company) - before, sorted({reply.status_code for _, reply in replies})
    held = asked == KEYS and all(len(each) == 1 for each in ids.values()) and set(statuses) <= {MADE, 409}
    line = f"{len(replies)} creations with {KEYS} keys, {CALLERS} at once: {asked} reached the Gateway; {statuses}"
    print(line, flush=True)
    return Outcome(held, [line])


def _lost(company: Company) -> Outcome:
    keys = [str(uuid4()) for _ in range(LOST)]
    requests.post(f"{company.far_side}/control/down?how=reset", timeout=5).raise_for_status()
    lost = [company.create(key).json().get("reason") for key in keys]
    requests.post(f"{company.far_side}/control/up", timeout=5).raise_for_status()
    again = [company.create(key).status_code for key in keys]
    with company.engine.connect() as connection:
        unclear = connection.execute(text("select count(*) from creations where state = 'unclear'")).scalar_one()
    held = lost == ["answer-lost"] * LOST and again == [MADE] * LOST and unclear == LOST
    line = f"{LOST} answers lost: each kept as unclear, each created anew by its key: {again.count(MADE)}"
    print(line, flush=True)
    return Outcome(held, [line])


def _asked(company: Company) -> int:
    """How many creations the far side let through, by its own log."""
    lines = requests.get(f"{company.far_side}/control/log", timeout=5).text.splitlines()
    return sum(entry.get("path") == "transaction" and entry.get("status") == PASSED for entry in map(json.loads, lines))


def _nothing_leaks(company: Company) -> Outcome:
    told = company.log.read_text()
    with company.engine.connect() as connection:
        for table in ("accounts", "account_links", "api_keys", "creations", "alerts"):
            told += str(connection.execute(text(f"select to_jsonb(t) from {table} t")).all())  # noqa: S608 our own names
    secrets = {*SECRETS.values(), *company.secrets} - {""}
    found = sum(secret in told for secret in secrets if len(secret) > 8)  # noqa: PLR2004 shorter ones are words
    line = f"{len(secrets)} secrets and tokens looked for in the log and the tables: {found} found"
    print(line, flush=True)
    return Outcome(found == 0, [line])
