"""Positions, orders and brokers' answers put before the service, for tests of reconciling holdings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, text

from config.calendar import exchange_calendar
from config.settings import Gateway
from gateway.holdings import read_holdings
from recon.values import Policy
from store import holding_units, holding_verdicts
from store.holdings import KeptHoldings, keep
from tieout.holdings_recon import reconcile_holdings
from tieout.imports import import_file
from tieout.rules import Rules

NOW = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)  #: a Wednesday, after the close
RULES = Rules(Policy(), exchange_calendar())
GATEWAY = Gateway(name="demo", url="https://gateway.invalid", book="live", secrets=(), api_secrets=())
ACCOUNT, OTHER = "5f0321b5f3743c31d95abd35", "5f0321b5f3743c31d95abd36"
INFY, TCS = "INE009A01021", "INE467B01029"
_POSITIONS = "account,broker,as_of,isin,symbol,quantity,average_price\n"
_ORDERS = "order_id,transaction_id,account,trade_date,exchange,symbol,isin,side,quantity,filled_quantity,status\n"


@dataclass(frozen=True, slots=True)
class Told:
    """What is told goes into this database, by way of files in this folder."""

    engine: Engine
    folder: Path
    rules: Rules = RULES

    def file(self, kind: str, content: str, *, now: datetime = NOW) -> None:
        """A file imported whole."""
        file = self.folder / f"{kind}.csv"
        file.write_text(content)
        report = import_file(self.engine, kind=kind, file=file, gateways=[GATEWAY], now=now, rules=self.rules)
        assert not report.problems

    def positions(self, held: Mapping[tuple[str, str], int], as_of: str = "2026-01-13") -> None:
        """The books' positions, by account and ISIN."""
        rows = (f"{account},kite,{as_of},{isin},,{count},400\n" for (account, isin), count in held.items())
        self.file("positions", _POSITIONS + "".join(rows))

    def order(self, order_id: str, side: str, quantity: int, *, day: str = "2026-01-14") -> None:
        """An order of ours that is filled whole, outside of the Gateway."""
        row = f"{order_id},,{ACCOUNT},{day},NSE,INFY,{INFY},{side},{quantity},{quantity},COMPLETE\n"
        self.file("orders", _ORDERS + row)

    def answer(self, account: str, rows: Sequence[Mapping[str, object]], *, at: str = "2026-01-14T11:00:00Z") -> None:
        """A broker's answer: rows with `isin`, `held`, and, if any, `nse`, `collateral`, `smallcase`."""
        body = json.dumps({"success": True, "data": _data(account, rows, at)}).encode()
        said = read_holdings(body)
        assert said.refused == 0
        named = {"gateway": GATEWAY.name, "account": account, "book": "live", "state": "ok", "known_at": NOW}
        with self.engine.begin() as connection:
            accounts = {"gateway": GATEWAY.name, "book": "live", "origin": "webhook", "now": NOW, "fetch_at": None}
            holding_units.ensure(connection, **accounts, accounts=[account])  # type: ignore[arg-type]
            kept = KeptHoldings(
                **named,  # type: ignore[arg-type]
                kind="equity",
                body=body,
                version=said.version,
                snapshot_date=said.snapshot_date,
                broker=said.broker,
                rows=(said.lines, said.funds, said.smallcases),
            )
            keep(connection, kept)
            holder = text("select holder from holding_accounts where account = :account")
            number = connection.execute(holder, {"account": account}).scalar_one()
            holding_verdicts.mark(connection, holder=number)

    def reconcile(self, *, now: datetime = NOW) -> int:
        """Reconcile whatever is due."""
        return reconcile_holdings(self.engine, now=now, rules=self.rules, limit=1000)

    def parts(self, account: str = ACCOUNT) -> dict[str, dict[str, int]]:
        """By ISIN, the parts of the difference by name."""
        query = text("select isin, parts from holding_verdicts where account = :account")
        with self.engine.connect() as connection:
            rows = list(connection.execute(query, {"account": account}))
        return {row.isin: {part["name"]: int(float(part["quantity"])) for part in row.parts} for row in rows}


def _data(account: str, rows: Sequence[Mapping[str, object]], at: str) -> dict[str, object]:
    return {
        "broker": "kite",
        "smallcaseAuthId": account,
        "updating": False,
        "snapshotDate": at,
        "lastUpdate": at,
        "securities": [_security(row) for row in rows],
        "smallcases": {"public": [], "private": []},
    }


def _security(row: Mapping[str, object]) -> dict[str, object]:
    return {
        "name": "X",
        "isin": row["isin"],
        "nseTicker": row.get("nseTicker", "X"),
        "bseTicker": row.get("bseTicker", "X"),
        "holdings": {"quantity": row["held"], "averagePrice": row.get("average", 400)},
        "positions": {
            "nse": {"quantity": row.get("nse", 0), "averagePrice": 0},
            "bse": {"quantity": 0, "averagePrice": 0},
        },
        "transactableQuantity": row["held"],
        "smallcaseQuantity": row.get("smallcase", 0),
        "collateralQuantity": row.get("collateral", 0),
        "isSuspendedOrDelistedOnNSE": False,
        "isSuspendedOrDelistedOnBSE": False,
    }
