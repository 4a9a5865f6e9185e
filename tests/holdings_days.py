"""Days in the life of one account's holdings: the books are imported, the broker is asked, people look.

Everything goes the way it goes in service: files through the import, answers over HTTP through the fetch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from config.calendar import IST
from config.clock import FixedClock
from store.desk_breaks import FindingFilter
from tests.holdings_stub import HoldingsStub, held, holdings_stub
from tests.shops import a_shop_on
from tieout.desk import breaks as desk
from tieout.desk.day import day as day_of
from tieout.desk.severity import severity_as_of
from tieout.holdings import fetch, settle_holdings
from tieout.holdings_recon import reconcile_holdings
from tieout.imports import import_file
from tieout.shop import Shop

ACCOUNT = "5f0321b5f3743c31d95abd35"
AXIS, KOTAK, KOTAK_NEW = "INE238A01034", "INE237A01028", "INE237A01036"
TUESDAY, WEDNESDAY, FRIDAY = (date(2026, 1, day) for day in (13, 14, 16))  #: the exchange was closed on the 15th
OPEN = ("break", "pending", "note")
COLUMNS = {
    "positions": "account,broker,as_of,isin,quantity,average_price",
    "orders": "order_id,transaction_id,account,trade_date,exchange,symbol,isin,side,quantity,filled_quantity,"
    "average_price,status",
    "corporate-actions": "kind,isin,ex_date,ratio_from,ratio_to,new_isin,temporary_isin,credited_by",
    "transfers": "reference,account,date,isin,direction,quantity",
}
Seen = tuple[str, str, int]  #: name, class, how many shares more (or fewer) the broker has


@dataclass(slots=True)
class Days:
    """One account from evening to evening; `today` is moved on by `evening`."""

    engine: Engine
    folder: Path
    shop: Shop
    stub: HoldingsStub
    today: date = TUESDAY
    broker: str = "kite"

    @property
    def now(self) -> datetime:
        """20:30 of today in India."""
        return datetime.combine(self.today, time(20, 30), IST)

    def evening(self, day: date) -> None:
        """Let it be that evening."""
        self.today = day

    # ------------------------------------------------------------ the books

    def file(self, kind: str, *rows: str, columns: str | None = None) -> None:
        """Import these rows; every one must be taken."""
        file = self.folder / f"{kind}.csv"
        file.write_text("\n".join([columns or COLUMNS[kind], *rows]) + "\n")
        gateways = list(self.shop.gateways.values())
        rules = self.shop.rules
        report = import_file(self.engine, kind=kind, file=file, gateways=gateways, now=self.now, rules=rules)
        assert not report.problems

    def positions(self, held: Mapping[str, int], *, price: int = 400, account: str = ACCOUNT) -> None:
        """What the books say is held of each ISIN at the end of today, at so many rupees."""
        self.file("positions", *(f"{account},kite,{self.today},{isin},{count},{price}" for isin, count in held.items()))

    def order(self, side: str, quantity: int, isin: str = AXIS, symbol: str = "AXISBANK") -> None:
        """An order of ours of today, filled whole."""
        name = f"{side}-{symbol}-{self.today}"
        row = f"{name},,{ACCOUNT},{self.today},NSE,{symbol},{isin},{side},{quantity},{quantity},400,COMPLETE"
        self.file("orders", row)

    # ------------------------------------------------------------ the broker

    def shows(self, *rows: Mapping[str, object], account: str = ACCOUNT) -> None:
        """The broker's answer as of now is fetched: rows of `security`."""
        told = self.now.isoformat()
        self.stub.says = lambda name: held(
            name, broker=self.broker, securities=list(rows), snapshotDate=told, lastUpdate=told, mutualFunds=None
        )
        shop = replace(self.shop, clock=FixedClock(self.now))
        names = fetch(self.engine, gateway=shop.gateways["demo"], accounts=[account], now=self.now)
        assert settle_holdings(shop, names) == []

    # ------------------------------------------------------------ what people see

    def found(self) -> list[Seen]:
        """Reconcile whatever is due, then all that is listed as open, of orders and holdings, by name."""
        reconcile_holdings(self.engine, now=self.now, rules=self.shop.rules, limit=1000)
        rows = self.listed()
        return sorted((r["name"], r["state"], -int(Decimal(r["difference"] or 0))) for r in rows)

    def listed(self) -> list[dict[str, Any]]:
        """What is open, as `tieout breaks --all --json` lists it."""
        severity_of = severity_as_of(self.now, self.shop.rules.calendar)
        wanted = FindingFilter(states=OPEN)
        return list(desk.listing(self.engine, wanted, severity_of=severity_of, severity=None, limit=None))

    def whole(self, row: Mapping[str, Any]) -> desk.WholeBreak:
        """One of them with everything behind it, as its page shows it."""
        severity_of = severity_as_of(self.now, self.shop.rules.calendar)
        found = desk.show(self.engine, row["break"], severity_of=severity_of)
        assert found is not None
        return found

    def causes(self) -> list[str]:
        """The words of each open finding, by name."""
        query = text("select cause from findings where closed_at is null order by name")
        with self.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def judged(self, column: str = "bucket") -> dict[str, Any]:
        """That column of today's verdicts, by line of descent; both sides of the day must add up."""
        query = text(f"select isin, {column} as said from holding_verdicts where trade_date = :day order by isin")
        with self.engine.connect() as connection:
            found = {row.isin: row.said for row in connection.execute(query, {"day": self.today})}
            day = day_of(
                connection, gateway="demo", trade_date=self.today, as_of=self.now, book="live", with_digest=False
            )
        assert day.holdings is not None
        assert day.holdings.unaccounted.count == 0
        return found

    def parts(self) -> dict[str, dict[str, int]]:
        """The parts of each line's difference, by name."""
        found: dict[str, dict[str, int]] = {}
        for isin, said in self.judged("parts").items():
            line = found.setdefault(isin, {})
            for each in said:
                line[each["name"]] = line.get(each["name"], 0) + int(Decimal(each["quantity"]))
        return found


def security(isin: str = AXIS, quantity: int = 0, **other: object) -> dict[str, object]:
    """One row of a broker's answer; `nse` is its position of the day, `t1` and `collateral` if any."""
    nse, average = other.pop("nse", 0), other.pop("average", 400)
    row: dict[str, object] = {
        "name": "A company",
        "isin": isin,
        "nseTicker": other.pop("ticker", "AXISBANK"),
        "bseTicker": None,
        "holdings": {"quantity": quantity, "averagePrice": average},
        "positions": {"nse": {"quantity": nse, "averagePrice": 400}, "bse": {"quantity": 0, "averagePrice": 0}},
        "transactableQuantity": quantity,
        "smallcaseQuantity": 0,
        "collateralQuantity": other.pop("collateral", 0),
    }
    return row | other


@contextmanager
def lived(engine: Engine, broker_url: str, folder: Path, **more: Any) -> Iterator[Days]:
    """Days that begin on Tuesday, the 13th of January 2026, with these settings beside the usual ones."""
    with (
        holdings_stub() as stub,
        a_shop_on(engine, broker_url, stub.url, holdings_investments=False, **more) as shop,
    ):
        yield Days(engine, folder, shop, stub)
