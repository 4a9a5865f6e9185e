"""The simulator's ledger: settlement, holidays, splits and bonuses, and what is told of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import pytest

from simulator.accounts import Accounts
from simulator.day import Day
from simulator.draw import Account
from simulator.exchange import Exchange
from simulator.holdings import Holdings, mf_payload
from simulator.ledger import Bonus, Fill, Lot, Split
from simulator.people import FUNDS, Fund, People, Person, Smallcase
from simulator.plan import plan_day
from simulator.serving import Reply, Request
from simulator.shares import SHARES
from simulator.world import World, world_of

INFY = next(share for share in SHARES if share.symbol == "INFY")
FRIDAY = Day(date(2026, 11, 20))  # the Tuesday after it is a holiday
ELEVEN = FRIDAY.at(11)


def somebody(*fills: Fill, broker: str = "kite", **facts: object) -> Person:
    """Somebody with ten INFY at 1,500 rupees."""
    person = Person(
        name="asha",
        account=Account("a" * 24, broker),
        refreshed_at=FRIDAY.start,
        lots=[Lot(share=INFY, quantity=10, price=150_000)],
    )
    for name, value in facts.items():
        setattr(person, name, value)
    person.fills.extend(fills)
    return person


def fill(quantity: int, *, at: datetime = ELEVEN, price: int = 160_000) -> Fill:
    """INFY traded on Friday at eleven."""
    return Fill(at=at, share=INFY, quantity=quantity, price=price)


def infy(person: Person, at: datetime, *actions: Split | Bonus) -> Mapping[str, object]:
    """What is told of INFY at that instant."""
    told = Holdings(Exchange(), actions).told(person, at)
    found: Mapping[str, object] = told["securities"][0]  # type: ignore[index]
    return found


def quantities(security: Mapping[str, object]) -> tuple[int, int]:
    """Held and in the day's position."""
    return security["holdings"]["quantity"], security["positions"]["nse"]["quantity"]  # type: ignore[index]


def test_what_is_bought_is_a_position_until_it_settles() -> None:
    """On Friday and over the weekend it is a position, on Monday it is held."""
    person = somebody(fill(5))
    saturday, monday = FRIDAY.at(12) + timedelta(days=1), FRIDAY.at(10) + timedelta(days=3)
    assert quantities(infy(person, FRIDAY.at(10))) == (10, 0)
    assert quantities(infy(person, FRIDAY.at(12))) == (10, 5)
    assert quantities(infy(person, saturday)) == (10, 5)
    assert quantities(infy(person, monday)) == (15, 0)


def test_nothing_settles_on_a_holiday() -> None:
    """Bought on Monday the 23rd, held on Wednesday: Tuesday the exchange is closed."""
    monday = FRIDAY.at(11) + timedelta(days=3)
    person = somebody(fill(5, at=monday))
    assert quantities(infy(person, monday + timedelta(days=1))) == (10, 5)
    assert quantities(infy(person, monday + timedelta(days=2))) == (15, 0)


@pytest.mark.parametrize(("broker", "told"), [("kite", (10, -4)), ("groww", (6, 0))])
def test_a_sale_shows_as_each_broker_shows_it(broker: str, told: tuple[int, int]) -> None:
    """As a negative position, or as fewer held; what can be sold is the same."""
    person = somebody(fill(-4), broker=broker)
    person.refreshed_at = FRIDAY.at(12)
    security = infy(person, FRIDAY.at(12))
    assert quantities(security) == told
    assert security["transactableQuantity"] == 6


def test_the_average_cost_moves_when_a_purchase_settles() -> None:
    """Ten at 1,500 and five at 1,600 rupees."""
    person = somebody(fill(5))
    told = infy(person, FRIDAY.at(10) + timedelta(days=3))
    assert told["holdings"]["averagePrice"] == pytest.approx(1533.3333)  # type: ignore[index]


def test_a_split_changes_the_isin_and_nothing_of_the_worth() -> None:
    """One becomes five under a new ISIN at a fifth of the cost, settled or not."""
    monday = date(2026, 11, 23)
    split = Split(symbol="INFY", ex_date=monday, into=5, new_isin="INE009A01039")
    person = somebody(fill(2))
    before, after = infy(person, FRIDAY.at(12), split), infy(person, FRIDAY.at(12) + timedelta(days=3), split)
    assert (before["isin"], quantities(before)) == ("INE009A01021", (10, 2))
    assert (after["isin"], quantities(after)) == ("INE009A01039", (60, 0))
    assert after["holdings"]["averagePrice"] == pytest.approx((10 * 1500 + 2 * 1600) / 60)  # type: ignore[index]


def test_a_bonus_comes_later_and_first_under_a_temporary_isin() -> None:
    """Nowhere at the ex-date, apart once credited, with the others once listed; its cost is nothing."""
    bonus = Bonus(
        symbol="INFY", ex_date=date(2026, 11, 19), give=1, per=2, temporary_isin="IN8009A01011",
        credited_on=date(2026, 11, 25), listed_on=date(2026, 11, 30),
    )  # fmt: skip
    person = somebody()
    holdings = Holdings(Exchange(), [bonus])

    def told(day: int) -> list[tuple[object, int]]:
        at = datetime(2026, 11, day, 6, tzinfo=UTC)
        securities = holdings.told(person, at)["securities"]
        return [(each["isin"], quantities(each)[0]) for each in securities]  # type: ignore[attr-defined]

    assert told(20) == [("INE009A01021", 10)]
    assert told(25) == [("INE009A01021", 10), ("IN8009A01011", 5)]
    assert told(30) == [("INE009A01021", 15)]


def test_the_older_version_leaves_out_what_belongs_to_smallcases() -> None:
    """And has no ISINs and one object with a list."""
    smallcase = Smallcase(scid="SCMO_0001", iscid="c" * 24, name="Top", shares={"INFY": 4})
    lots = [Lot(share=INFY, quantity=10, price=150_000, smallcase=4)]
    told = Holdings(Exchange()).told(somebody(lots=lots, smallcases=[smallcase]), FRIDAY.at(10), version="v1")
    assert told["securities"] == {
        "holdings": [{"ticker": "INFY", "shares": 6, "name": "Infy", "exchange": "NSE", "averagePrice": 1500}]
    }


def ask(person: Person, what: str = "holdings", *, auth_id: str | None = "a" * 24, **query: str) -> Reply:
    """The API's answer at noon on Friday."""
    people = People()
    people.add(person)
    request = Request(method="GET", path="", query={k: [v] for k, v in query.items()}, headers={})
    return Accounts(World(people=people)).answer(what, request, auth_id, FRIDAY.at(12))


def data_of(reply: Reply) -> dict[str, object]:
    """The data of a good answer."""
    assert reply.status == 200
    found: dict[str, object] = json.loads(reply.body)["data"]
    return found


def test_without_consent_holdings_are_forbidden() -> None:
    """Likewise before the first login, for a guest and for an account nobody knows."""
    assert ask(somebody(consented=False)).status == 403
    assert ask(somebody(refreshed_at=None)).status == 403
    assert ask(somebody(), auth_id=None).status == 403
    assert ask(somebody(), auth_id="b" * 24).status == 403


def test_most_brokers_tell_the_last_login_and_one_tells_now() -> None:
    """Without logging in again, what was traded since is not told."""
    bought = fill(5)
    old, live = (ask(somebody(bought, broker=name), version="v2") for name in ("groww", "kite"))
    assert data_of(old)["snapshotDate"] == "2026-11-20T03:30:00.000Z"
    assert data_of(live)["snapshotDate"] == "2026-11-20T06:30:00.000Z"
    assert quantities(data_of(old)["securities"][0]) == (10, 0)  # type: ignore[index]


def test_after_a_login_holdings_are_updating_for_a_while() -> None:
    """And then they are not."""
    person = somebody(broker="groww")
    person.log_in(FRIDAY.at(11, 59))
    assert data_of(ask(person, version="v2"))["updating"] is True
    person.log_in(FRIDAY.at(11))
    assert data_of(ask(person, version="v2"))["updating"] is False


def test_mutual_funds_are_told_when_asked_for() -> None:
    """With `mfHoldings=true` only."""
    fund = Fund(folio="1/2", name=FUNDS[0][0], isin=FUNDS[0][1], milliunits=1500, cost=80_00, nav=88_41)
    person = somebody(funds=[fund])
    assert "mutualFunds" not in data_of(ask(person, version="v2"))
    told = data_of(ask(person, version="v2", mfHoldings="true"))["mutualFunds"]
    assert told["holdings"][0]["quantity"] == 1.5  # type: ignore[index]
    assert set(mf_payload(person, FRIDAY.at(12))) == {"summary", "transactions"}


def test_investments_are_an_object_or_an_empty_list() -> None:
    """The aggregate of nothing is a list, as documented."""
    smallcase = Smallcase(scid="SCMO_0001", iscid="c" * 24, name="Top", shares={"INFY": 4})
    assert data_of(ask(somebody(), "investments", aggregatedData="true")) == {"aggregated": []}
    told = data_of(ask(somebody(smallcases=[smallcase]), "investments", aggregatedData="true"))["aggregated"]
    assert told["currentInvestment"] == 6000  # type: ignore[index]
    each = data_of(ask(somebody(smallcases=[smallcase]), "investments", iscid="c" * 24))
    assert [entry["investment"]["scid"] for entry in each] == ["SCMO_0001"]  # type: ignore[index]


def test_people_of_a_day_hold_what_they_sell() -> None:
    """Nobody of a planned day ends with less than nothing, and every state occurs among a thousand."""
    plan = plan_day(FRIDAY, seed=1, transactions=500, gateway="simulated")
    world = world_of(plan, more_people=1000 - len({s.account.auth_id for s in plan.stories}))
    assert len(world.people) == 1000
    for person in world.people:
        held = world.holdings.standings(person, FRIDAY.evening)
        assert min((standing.total for standing in held), default=0) >= 0
    states = [person.state(FRIDAY.evening) for person in world.people]
    assert {state: states.count(state) > 20 for state in set(states)} == dict.fromkeys(
        ("good", "stale", "updating", "no-consent"), True
    )


def test_the_calendar_knows_weekends_and_holidays() -> None:
    """The next opening after Friday's close is Monday's, after Monday's it is Wednesday's."""
    exchange = Exchange()
    assert exchange.opening_after(FRIDAY.at(16)) == FRIDAY.at(9, 15) + timedelta(days=3)
    assert exchange.opening_after(FRIDAY.at(16) + timedelta(days=3)) == FRIDAY.at(9, 15) + timedelta(days=5)
    assert exchange.is_open(FRIDAY.at(9, 15))
    assert not exchange.is_open(FRIDAY.at(15, 30))
