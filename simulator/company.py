"""The company's side of the day: the files it would import, byte for byte the same for a seed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import xlsxwriter  # type: ignore[import-untyped]

from simulator.day import Day, instant_text
from simulator.shares import SHARES

ORDER_COLUMNS = (
    "order_id", "transaction_id", "account", "trade_date", "exchange", "symbol", "side", "quantity",
    "gateway", "batch_id", "exchange_order_id", "isin", "broker", "filled_quantity", "average_price",
    "status", "executed_at",
)  # fmt: skip
TRANSACTION_COLUMNS = (
    "transaction_id",
    "gateway",
    "account",
    "created_at",
    "expire_at",
    "intent",
    "requested",
)
INSTRUMENT_COLUMNS = ("exchange", "symbol", "series", "isin", "from", "to", "successor")
_NUMBERS = frozenset({"quantity", "filled_quantity", "average_price"})

Row = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine:
    """One order line of the company's books; the price is in paise, None where not booked."""

    order_id: str
    transaction_id: str
    account: str
    trade_date: date
    symbol: str
    isin: str
    side: str
    quantity: int
    gateway: str
    batch_id: str
    exchange_id: str
    broker: str
    filled: int
    price: int | None
    status: str
    executed_at: datetime | None

    def row(self) -> Row:
        """The line in the order of `ORDER_COLUMNS`."""
        return (
            self.order_id, self.transaction_id, self.account, self.trade_date.isoformat(), "NSE",
            self.symbol, self.side, str(self.quantity), self.gateway, self.batch_id, self.exchange_id,
            self.isin, self.broker, str(self.filled), rupees(self.price), self.status,
            instant_text(self.executed_at) if self.executed_at else "",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """One transaction as the company registered it when it created it."""

    transaction_id: str
    gateway: str
    account: str
    created_at: datetime
    expire_at: datetime
    requested: Sequence[dict[str, object]]
    intent: str = "TRANSACTION"

    def row(self) -> Row:
        """The registration in the order of `TRANSACTION_COLUMNS`."""
        basket = json.dumps({"type": "SECURITIES", "securities": self.requested}, separators=(",", ":"))
        times = instant_text(self.created_at), instant_text(self.expire_at)
        return (self.transaction_id, self.gateway, self.account, *times, self.intent, basket)


def rupees(paise: int | None) -> str:
    """A price in rupees with two places; empty for None."""
    return "" if paise is None else f"{paise // 100}.{paise % 100:02d}"


def instruments_csv(day: Day, changes: Mapping[str, tuple[date, str]] | None = None) -> bytes:
    """The master of instruments, valid since the beginning of the year.

    `changes`: by symbol, from which date on it has which other ISIN, the successor of the one before.
    """
    since = date(day.trade_date.year, 1, 1).isoformat()
    rows: list[Row] = []
    for share in SHARES:
        if (change := (changes or {}).get(share.symbol)) is None:
            rows.append(("NSE", share.symbol, "EQ", share.isin, since, "", ""))
            continue
        changed_on, isin = change
        rows.append(("NSE", share.symbol, "EQ", share.isin, since, (changed_on - timedelta(days=1)).isoformat(), isin))
        rows.append(("NSE", share.symbol, "EQ", isin, changed_on.isoformat(), "", ""))
    return _csv(INSTRUMENT_COLUMNS, rows)


def transactions_csv(registrations: Iterable[Registration]) -> bytes:
    """The transactions the company created."""
    return _csv(TRANSACTION_COLUMNS, (registration.row() for registration in registrations))


def orders_csv(lines: Iterable[BookLine]) -> bytes:
    """The company's order lines."""
    return _csv(ORDER_COLUMNS, (line.row() for line in lines))


def orders_xlsx(lines: Iterable[BookLine], day: Day) -> bytes:
    """The same lines as a workbook: ids are text cells, numbers numbers, trade dates dates."""
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    workbook.set_properties({"title": "Orders", "created": day.evening.astimezone(UTC).replace(tzinfo=None)})
    dates = workbook.add_format({"num_format": "yyyy-mm-dd"})
    sheet = workbook.add_worksheet("orders")
    sheet.write_row(0, 0, ORDER_COLUMNS)
    for row, line in enumerate(lines, start=1):
        for column, (name, value) in enumerate(zip(ORDER_COLUMNS, line.row(), strict=True)):
            if name == "trade_date":
                sheet.write_datetime(row, column, datetime.combine(line.trade_date, time()), dates)
            elif name in _NUMBERS and value:
                sheet.write_number(row, column, float(value))
            elif value:
                sheet.write_string(row, column, value)
    workbook.close()
    return buffer.getvalue()


def replace_file(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever reads half of it."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def _csv(columns: Row, rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()
