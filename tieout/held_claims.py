"""What holdings webhooks said of a transaction's account, read and put beside the answers that followed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

from gateway.fields import WireError
from gateway.holdings import Holdings, read_holdings
from recon.held_claims import HeldClaim, HeldSaid, Row
from store.together import Record

QUANTITIES: Final = ("held", "t1", "nse_quantity", "bse_quantity", "transactable", "smallcase", "collateral")
_NAMES: Final = ("isin", "nse_ticker", "bse_ticker")


def held_claims_from(rows: Iterable[Record]) -> tuple[HeldClaim, ...]:
    """The webhooks in the order they came; one that cannot be read claims nothing."""
    return tuple(claim for row in rows if (claim := _claim(row)))


def _claim(row: Record) -> HeldClaim | None:
    try:
        said = read_holdings(bytes(row.body))
    except WireError:
        return None
    return HeldClaim(
        event_id=str(row.event_id),
        received_at=row.received_at,
        said=HeldSaid(version=said.version, as_at=said.snapshot_date or said.last_update, rows=_said(said)),
        answer=HeldSaid(version=row.version, as_at=row.as_at, rows=dict(map(_answered, row.rows))),
        answer_ref=str(row.snapshot_id),
        answered_at=row.known_at,
    )


def _said(holdings: Holdings) -> dict[str, Row]:
    return dict(_row({name: getattr(line, name) for name in (*_NAMES, *QUANTITIES)}) for line in holdings.lines)


def _answered(stored: Mapping[str, str | None]) -> tuple[str, Row]:
    return _row({name: Decimal(v) if v is not None and name in QUANTITIES else v for name, v in stored.items()})


def _row(values: Mapping[str, object]) -> tuple[str, Row]:
    """What people call the security, and the quantities that are said of it."""
    name = next((str(values[each]) for each in _NAMES if values[each]), "?")
    return name, {each: value for each in QUANTITIES if isinstance(value := values[each], Decimal)}
