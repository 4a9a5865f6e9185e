"""Holdings of many accounts, fetched by a worker from the simulated Gateway, compared with what it says of each.

What it says is its own list of people, made without the answers: their state, and how much each holds.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from sqlalchemy import Engine, text

from bench.following.service import GATEWAY, Service, StuckError, service, wait_until
from bench.proofs import Outcome

ACCOUNTS: Final = 1000
LIMIT_S: Final = 600.0
SCENARIO: Final = "simulator/scenarios/imports.toml"
#: How the far side calls a state, and how the service does.
STATES: Final = {"good": "ok", "stale": "stale", "updating": "updating", "no-consent": "needs-consent"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One account as one side knows it: its state and how much it holds."""

    state: str
    securities: int
    funds: int


def holdings(accounts: int = ACCOUNTS) -> Outcome:
    """Everybody's holdings at the start of a day, then a day on which imports are told by webhooks."""
    with TemporaryDirectory(prefix="tieout-prove-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        try:
            with _service(folder / "crowd", people=str(accounts)) as own:
                crowd = _fetch(own)
            with _service(folder / "imports", scenario=SCENARIO) as own:
                imports = _imports(own)
        except StuckError as error:
            return Outcome(held=False, lines=[str(error)])
    return Outcome(crowd.held and imports.held, [*crowd.lines, *imports.lines])


def _service(home: Path, **plot: str) -> AbstractContextManager[Service]:
    return service(home, transactions=1, seed=1, withhold="0", say=_say, plot=plot)


def _imports(own: Service) -> Outcome:
    """Play the scenario's day: every webhook about holdings becomes an answer, every fund one that is kept."""
    own.start_worker()
    own.steer("play")
    wait_until(lambda: own.simulator("status")["phase"] == "holding", "the close", own.home)
    own.until_idle()
    said = "select count(*) from events where family = '{}' and state = 'done'"
    equity, funds = (_number(own.engine, said.format(family)) for family in ("holdings", "mf-holdings"))
    left = _number(own.engine, "select count(*) from events where state <> 'done'")
    sent = {person["account"]: person for person in own.lines("accounts")}
    stored = as_stored(own.engine)
    wrong = [a for a, each in stored.items() if each.state != "ok" or each.securities != sent[a]["securities"]]
    kept = _number(
        own.engine, "select count(*) from mf_lines join holding_snapshots using (snapshot_id) where kind = 'mf'"
    )
    line = (
        f"imports told by webhooks: {equity} of holdings became {len(stored)} accounts' answers,"
        f" {funds} of mutual funds kept with {kept} rows; {left} events left, {len(wrong)} accounts not as sent"
    )
    held = bool(equity and funds and kept) and not left and not wrong and _undisturbed(own.engine)
    return Outcome(held, [line])


def _fetch(own: Service) -> Outcome:
    people = [person for person in own.lines("accounts") if person["account"]]
    own.start_worker()
    begun = time.monotonic()
    own.tieout("holdings", "fetch", *(person["account"] for person in people))
    wait_until(lambda: not _unfetched(own.engine), "all accounts to be fetched", own.home, limit_s=LIMIT_S)
    took_s = time.monotonic() - begun
    sent, stored = as_sent(people), as_stored(own.engine)
    wrong = differences(sent, stored)
    lines = [
        f"{len(sent)} accounts fetched in {took_s:.1f} s, two calls each; no limit on the calls",
        *(
            f"  {state}: {count} sent, {_in_state(stored, state)} stored"
            for state, count in sorted(_counts(sent).items())
        ),
        _totals(stored),
        f"{len(wrong)} accounts not as sent{': ' if wrong else ''}{'; '.join(wrong[:5])}",
        *_beside(own.engine),
    ]
    return Outcome(not wrong and len(_counts(sent)) == len(STATES) and _undisturbed(own.engine), lines)


def as_sent(people: Sequence[Mapping[str, Any]]) -> dict[str, Held]:
    """What the far side says of everybody; one who does not share holdings shows none."""
    return {
        person["account"]: Held(
            state=STATES[person["state"]],
            securities=person["securities"] if person["state"] != "no-consent" else 0,
            funds=person["funds"] if person["state"] != "no-consent" else 0,
        )
        for person in people
    }


def as_stored(engine: Engine) -> dict[str, Held]:
    """What the service knows of everybody."""
    with engine.connect() as connection:
        rows = connection.execute(
            text("""
            select a.account, a.state, count(distinct l.position) as securities, count(distinct f.position) as funds
            from holding_accounts a
            left join holding_snapshots s on s.gateway = a.gateway and s.account = a.account and s.kind = 'equity'
            left join holding_lines l on l.snapshot_id = s.snapshot_id
            left join mf_lines f on f.snapshot_id = s.snapshot_id
            where a.gateway = :gateway group by a.account, a.state"""),
            {"gateway": GATEWAY},
        )
        return {row.account: Held(state=row.state, securities=row.securities, funds=row.funds) for row in rows}


def differences(sent: Mapping[str, Held], stored: Mapping[str, Held]) -> list[str]:
    """Every account that is not known as it was sent, in words."""
    return [
        f"{account}: sent {sent.get(account)}, stored {stored.get(account)}"
        for account in sorted(sent.keys() | stored.keys())
        if sent.get(account) != stored.get(account)
    ]


def _totals(stored: Mapping[str, Held]) -> str:
    securities, funds = (sum(getattr(each, name) for each in stored.values()) for name in ("securities", "funds"))
    return f"{securities} securities and {funds} mutual funds stored"


def _counts(sent: Mapping[str, Held]) -> Counter[str]:
    return Counter(each.state for each in sent.values())


def _in_state(stored: Mapping[str, Held], state: str) -> int:
    return sum(each.state == state for each in stored.values())


def _unfetched(engine: Engine) -> int:
    return _number(engine, "select count(*) from holding_accounts where state = 'new'")


def _beside(engine: Engine) -> list[str]:
    said = _number(engine, "select coalesce(sum(jsonb_array_length(not_understood)), 0) from holding_snapshots")
    refused = _number(engine, "select coalesce(sum(refused), 0) from holding_snapshots")
    return [f"rows refused: {refused}; keys not understood: {said}; alerts and open breakers: {_troubles(engine)}"]


def _undisturbed(engine: Engine) -> bool:
    """No account's 403 stopped anything."""
    return _troubles(engine) == 0


def _troubles(engine: Engine) -> int:
    return _number(
        engine,
        "select (select count(*) from alerts) + (select count(*) from gateway_states where breaker <> 'closed')",
    )


def _number(engine: Engine, sql: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(sql)).scalar_one())


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
