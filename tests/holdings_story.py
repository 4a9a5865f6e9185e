"""Accounts in every state put into the tables by hand, for tests of what people see."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert

from gateway.funds import read_funds
from gateway.holdings import read_holdings
from gateway.investments import read_investments
from store import schema
from store.holdings import KeptHoldings, keep

SAMPLES = Path(__file__).parent / "samples"
HELD = "5f0321b5f3743c31d95abd35"
ODD, FORBIDDEN, UPDATING, STALE, NEW, PLAYED = (f"5f0321b5f3743c31d95abe{n:02}" for n in range(6))
FUND_EVENT = UUID("22222222-2222-4333-8444-555555555555")


def tell(connection: Connection, *, gateway: str, now: datetime) -> None:
    """One account in each state, one of play money; two of them with rows."""
    told = _Teller(connection, gateway, now)
    told.account(HELD, "ok")
    told.account(ODD, "undated")
    told.account(FORBIDDEN, "needs-consent")
    told.account(UPDATING, "updating", waits_for="busy")
    told.account(STALE, "ok", as_at=now - timedelta(days=5))
    told.account(NEW, "new")
    told.account(PLAYED, "empty", book="test", broker="kite-leprechaun")
    told.answer(HELD, "v2.json", "ok")
    told.answer(ODD, "odd-rows.json", "undated")
    invested = (SAMPLES / "investments" / "public-private.json").read_bytes()
    told.keep(HELD, "ok", invested, kind="investments", rows=((), (), read_investments(invested).lines))
    funds = (SAMPLES / "mf-webhook" / "envelope.json").read_bytes()
    lines = read_funds(funds).lines
    told.keep(HELD, "from-webhook", funds, kind="mf", source="webhook", event_id=FUND_EVENT, rows=((), lines, ()))


@dataclass(frozen=True, slots=True)
class _Teller:
    connection: Connection
    gateway: str
    now: datetime

    def account(self, account: str, state: str, **more: object) -> None:
        """One account in that state, asked once."""
        common: dict[str, object] = {"gateway": self.gateway, "book": "live", "origin": "webhook"}
        common |= {"broker": "kite", "account": account}
        common |= {"registered_at": self.now - timedelta(days=1), "state": state, "state_since": self.now}
        common |= {"as_at": self.now, "known_at": self.now, "next_fetch_at": self.now + timedelta(hours=1)}
        made = insert(schema.holding_accounts).values(**{**common, **more}).returning(schema.holding_accounts.c.holder)
        holder = self.connection.execute(made).scalar_one()
        asked = {"holder": holder, "generation": 1, "outcome": "done", "reason": state, "http_status": 200}
        self.connection.execute(insert(schema.holding_attempts).values(**asked, took_ms=40, worker="w:1"))

    def answer(self, account: str, sample: str, state: str) -> None:
        """One recorded answer about its holdings."""
        body = (SAMPLES / "holdings" / sample).read_bytes()
        found = read_holdings(body)
        self.keep(
            account,
            state,
            body,
            kind="equity",
            http_status=200,
            version=found.version,
            snapshot_date=found.snapshot_date,
            refused=found.refused,
            not_understood=[asdict(each) for each in found.not_understood],
            rows=(found.lines, found.funds, found.smallcases),
        )

    def keep(self, account: str, state: str, body: bytes, **more: Any) -> None:
        """One answer with its rows."""
        common: dict[str, Any] = {"gateway": self.gateway, "account": account, "book": "live", "known_at": self.now}
        keep(self.connection, KeptHoldings(**common, state=state, body=body, **more))
