"""What is told of a person's holdings: equity in both versions, mutual funds, investments in smallcases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction

from simulator.day import instant_text
from simulator.exchange import Exchange, date_in_india
from simulator.ledger import Action, Standing, standings
from simulator.orders import Json, number
from simulator.people import NEGATIVE_POSITIONS, Fund, Person, Smallcase

_NAMES = {"M&M": "Mahindra & Mahindra", "LT": "Larsen & Toubro", "SBIN": "State Bank of India"}


class Holdings:
    """Tells what people hold, by the ledger and the corporate actions of the exchange."""

    def __init__(self, exchange: Exchange, actions: Sequence[Action] = ()) -> None:
        """Know the calendar and what happens to shares."""
        self._exchange, self._actions = exchange, actions

    def standings(self, person: Person, at: datetime) -> list[Standing]:
        """Every security of that person at that instant."""
        return standings(person.lots, person.fills, self._actions, exchange=self._exchange, at=at)

    def told(self, person: Person, now: datetime, *, version: str = "v2", funds: bool = False) -> Json:
        """`data` of the answer: the last snapshot, in that version."""
        snapshot_at = person.snapshot_at(now)
        assert snapshot_at is not None  # consent comes with the first login
        held = self.standings(person, snapshot_at)
        data: Json = {
            "broker": person.broker,
            "smallcaseAuthId": person.account.auth_id,
            "updating": bool(person.updating_until and now < person.updating_until),
            "lastUpdate": instant_text(snapshot_at),
            "snapshotDate": instant_text(snapshot_at),
            **(_v2(person, held) if version == "v2" else _v1(person, held)),
        }
        return data | {"mutualFunds": {"holdings": [_fund(f, now) for f in person.funds]}} if funds else data

    def investments(self, person: Person, now: datetime) -> Json:
        """The aggregate of all smallcases: an object, or an empty list without any."""
        cost = worth = Fraction(0)
        held = {standing.share.symbol: standing for standing in self.standings(person, now)}
        for symbol, count in ((s, c) for each in person.smallcases for s, c in each.shares.items()):
            if standing := held.get(symbol):
                cost += standing.cost * count
                worth += Fraction(standing.share.price) * count
        if not person.smallcases:
            return {"aggregated": []}
        gain = worth - cost
        percent = number(round(float(100 * gain / cost), 2)) if cost else None
        return {
            "aggregated": {
                "currentInvestment": _rupees(cost),
                "currentReturns": _rupees(gain),
                "networth": _rupees(worth),
                "totalReturns": _rupees(gain),
                "currentReturnsPercent": percent,
                "totalReturnsPercent": percent,
            }
        }

    def each_investment(self, person: Person, now: datetime) -> list[Json]:
        """Every smallcase the person is invested in, with its constituents."""
        held = {standing.share.symbol: standing for standing in self.standings(person, now)}
        return [{"investment": _investment(each, held)} for each in person.smallcases]


def mf_payload(person: Person, now: datetime) -> Json:
    """What a mutual-fund import posts: a summary and the order book. The key names are not in the public record."""
    return {
        "summary": [
            {**_fund(fund, now), "kycStatus": "KYC OK", "brokerCode": "DIRECT", "brokerName": "Direct"}
            for fund in person.funds
        ],
        "transactions": [
            {
                "folio": fund.folio,
                "isin": fund.isin,
                "fund": fund.name,
                "date": date_in_india(now).replace(day=1).isoformat(),
                "type": "PURCHASE",
                "units": _units(fund),
                "nav": _rupees(Fraction(fund.cost)),
                "amount": _rupees(Fraction(fund.cost * fund.milliunits, 1000)),
            }
            for fund in person.funds
        ],
    }


def _v2(person: Person, held: Sequence[Standing]) -> Json:
    public = [_smallcase(each, held) for each in person.smallcases if not each.private]
    private = [_smallcase(each, held) for each in person.smallcases if each.private]
    return {
        "securities": [_security(person, standing) for standing in held],
        "smallcases": {"public": public, "private": {"investments": private} if private else []},
    }


def _v1(person: Person, held: Sequence[Standing]) -> Json:
    """The older form: without what belongs to smallcases, and without ISINs."""
    rows = [
        {
            "ticker": standing.share.symbol,
            "shares": standing.total - _of_smallcases(standing),
            "name": name_of(standing.share.symbol),
            "exchange": "NSE",
            "averagePrice": _rupees(standing.cost),
        }
        for standing in held
        if standing.total != _of_smallcases(standing)
    ]
    public = [_smallcase(each, held) for each in person.smallcases if not each.private]
    private = [_smallcase(each, held) for each in person.smallcases if each.private]
    return {
        "securities": {"holdings": rows},
        "smallcases": {"public": public, "private": {"stats": _sum_of_stats(private)}},
    }


def _security(person: Person, standing: Standing) -> Json:
    negative = person.account.broker in NEGATIVE_POSITIONS
    bought = [(quantity, price) for _, quantity, price in standing.unsettled if quantity > 0 or negative]
    sold = 0 if negative else sum(-quantity for _, quantity, _ in standing.unsettled if quantity < 0)
    position = sum(quantity for quantity, _ in bought)
    lot = standing.lot
    symbol = standing.share.symbol
    bse_only = bool(lot and lot.bse_only)
    return {
        "name": name_of(symbol),
        "isin": standing.isin,
        "nseTicker": None if bse_only or standing.temporary else symbol,
        "bseTicker": symbol,
        "holdings": {"quantity": standing.settled - sold, "averagePrice": _rupees(standing.cost)},
        "positions": {
            "nse": {"quantity": position, "averagePrice": _average(bought)},
            "bse": {"quantity": 0, "averagePrice": 0},
        },
        "transactableQuantity": 0 if standing.temporary or bse_only else standing.settled - sold + position,
        "smallcaseQuantity": _of_smallcases(standing),
        "collateralQuantity": lot.collateral if lot else 0,
        "isSuspendedOrDelistedOnNSE": bool(lot and lot.suspended),
        "isSuspendedOrDelistedOnBSE": False,
    }


def _of_smallcases(standing: Standing) -> int:
    return min(standing.lot.smallcase, max(0, standing.settled)) if standing.lot else 0


def _average(parts: Iterable[tuple[int, int]]) -> float | int:
    """The average price of what was bought, else of what was sold; 0 of nothing."""
    listed = list(parts)
    chosen = [part for part in listed if part[0] > 0] or listed
    quantity = sum(abs(count) for count, _ in chosen)
    return _rupees(Fraction(sum(abs(count) * price for count, price in chosen), quantity)) if quantity else 0


def _smallcase(each: Smallcase, held: Sequence[Standing]) -> Json:
    standing = {one.share.symbol: one for one in held}
    return {
        "scid": each.scid,
        "iscid": each.iscid,
        "name": each.name,
        "shortDescription": "Shares that moved most",
        "imageUrl": f"https://assets.smallcase.com/images/smallcases/160/{each.scid}.png",
        "investmentDetailsURL": f"https://www.smallcase.com/investments/{each.iscid}",
        "stats": _stats(each, standing),
        "constituents": [{"ticker": symbol, "shares": count} for symbol, count in each.shares.items()],
    }


def _stats(each: Smallcase, held: dict[str, Standing]) -> Json:
    owned = [(held[symbol], count) for symbol, count in each.shares.items() if symbol in held]
    worth = sum((Fraction(standing.share.price) * count for standing, count in owned), Fraction(0))
    cost = sum((standing.cost * count for standing, count in owned), Fraction(0))
    return {"currentValue": _rupees(worth), "totalReturns": _rupees(worth - cost)}


def _sum_of_stats(smallcases: Sequence[Json]) -> Json:
    stats = [each["stats"] for each in smallcases]
    return {
        key: number(round(sum((float(str(each[key])) for each in stats if isinstance(each, dict)), 0.0), 2))
        for key in ("currentValue", "totalReturns")
    }


def _investment(each: Smallcase, held: dict[str, Standing]) -> Json:
    constituents = [
        {"ticker": symbol, "stockName": name_of(symbol), "shares": count, "averagePrice": _rupees(held[symbol].cost)}
        for symbol, count in each.shares.items()
        if symbol in held
    ]
    return {
        "scid": each.scid,
        "iscid": each.iscid,
        "name": each.name,
        "stats": _stats(each, held),
        "currentConfig": {"constituents": constituents},
    }


def _fund(fund: Fund, now: datetime) -> Json:
    gain = Fraction((fund.nav - fund.cost) * fund.milliunits, 1000)
    return {
        "folio": fund.folio,
        "fund": fund.name,
        "isin": fund.isin,
        "quantity": _units(fund),
        "averagePrice": _rupees(Fraction(fund.cost)),
        "lastPrice": _rupees(Fraction(fund.nav)),
        "lastPriceDate": date_in_india(now).isoformat(),
        "pnl": _rupees(gain),
        "xirr": number(round(float(Fraction(fund.nav - fund.cost, fund.cost)) * 100, 2)),
    }


def _units(fund: Fund) -> float | int:
    return number(fund.milliunits / 1000)


def _rupees(paise: Fraction) -> float | int:
    """As the Gateway tells money: a binary float, of an average with all its noise."""
    return number(float(paise / 100))


def name_of(symbol: str) -> str:
    """The company's name."""
    return _NAMES.get(symbol, symbol.title())
