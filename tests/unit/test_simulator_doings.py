"""What people do in the simulator, and what the Gateway then says, posts and holds."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest

from simulator.accounts import Accounts
from simulator.act import Act
from simulator.api import picture_at
from simulator.asked import Asked, AskedWronglyError, read_asked
from simulator.day import Day
from simulator.doings import CannotActError, Doings
from simulator.draw import Account
from simulator.keyring import Keyring, SameSecretsError
from simulator.ledger import Lot
from simulator.orders import Batch
from simulator.people import FUNDS, Fund, People, Person
from simulator.serving import Request
from simulator.shares import SHARES
from simulator.signing import Secrets, checksum, webhook_body
from simulator.story import Post, Story
from simulator.timeline import Delivery, Timeline
from simulator.world import World

DAY = Day(date(2026, 11, 18))
NOON = DAY.at(12)
SECRETS = Secrets(jwt="one", api="two")
TCS = next(share for share in SHARES if share.symbol == "TCS")


def a_person(broker: str = "kite") -> Person:
    """Somebody with four TCS and a fund."""
    fund = Fund(folio="1/2", name=FUNDS[0][0], isin=FUNDS[0][1], milliunits=1500, cost=80_00, nav=88_41)
    return Person(
        name="asha",
        account=Account("a" * 24, broker),
        refreshed_at=DAY.start,
        lots=[Lot(share=TCS, quantity=4, price=300_000)],
        funds=[fund],
    )


class Town:
    """One person and everything they do."""

    def __init__(self, broker: str = "kite") -> None:
        """Begin at noon."""
        self.person = a_person(broker)
        people = People()
        people.add(self.person)
        world = World(people=people)
        self.doings = Doings(gateway="simulated", seed=1, world=world, timeline=Timeline(), stories={})
        self.posts: list[Post] = []

    def create(self, intent: str = "TRANSACTION", at: datetime = NOON, **config: object) -> Story:
        """A transaction of that person, by default a purchase of ten INFY."""
        if intent == "TRANSACTION" and not config:
            config = {"type": "SECURITIES", "securities": [{"ticker": "INFY", "quantity": 10, "type": "BUY"}]}
        return self.doings.create(Asked(intent=intent, config=config), self.person.account.auth_id, at)

    def act(self, story: Story, at: datetime = NOON, **act: object) -> Story:
        """The person does that with it at once."""
        self.doings.act(story, self.person, Act(**act), at)  # type: ignore[arg-type]
        return story

    def play(self, until: datetime) -> list[Post]:
        """All that happens until then; the posts."""
        while item := self.doings.timeline.take(until):
            if isinstance(item.what, Delivery):
                self.posts.append(item.what.post)
            else:
                item.what()
        return self.posts


@pytest.fixture(name="town")
def _town() -> Town:
    """A person at kite."""
    return Town()


def statuses(story: Story) -> list[str]:
    """What is said of it, one after another."""
    return [picture.status for picture in story.pictures]


def batch_of(story: Story, at: datetime | None = None) -> Batch:
    """The batch as it is told then, or at the end."""
    batch = picture_at(story, at).batch if at else story.pictures[-1].batch
    assert batch is not None
    return batch


def test_an_order_is_placed_filled_and_posted_twice(town: Town) -> None:
    """From INITIALIZED to COMPLETED, with a webhook for each end of it, and a position at once."""
    story = town.act(town.create())
    assert statuses(story) == ["INITIALIZED", "USED", "PROCESSING", "COMPLETED"]
    assert [post.kind for post in town.play(NOON + timedelta(hours=1))] == ["placed", "completed"]
    held = town.doings.world.holdings.standings(town.person, NOON + timedelta(hours=1))
    assert {standing.share.symbol: standing.open_quantity for standing in held} == {"TCS": 0, "INFY": 10}


def test_what_nobody_begins_expires(town: Town) -> None:
    """After five minutes it is expired, and can no longer be begun."""
    story = town.create()
    assert picture_at(story, NOON + timedelta(minutes=5)).expired
    with pytest.raises(CannotActError, match="transaction_expired"):
        town.act(story, NOON + timedelta(minutes=5))


def test_a_transaction_is_begun_once(town: Town) -> None:
    """A second time it is in process."""
    story = town.act(town.create())
    with pytest.raises(CannotActError, match="transaction_in_process"):
        town.act(story)


@pytest.mark.parametrize(
    ("does", "ends", "message"),
    [
        ("closes-login", "ERRORED", "user_cancelled"),
        ("closes-after-login", "ERRORED", "user_cancelled"),
        ("logs-in-as-another", "ERRORED", "user_mismatch"),
        ("denies-consent", "ERRORED", "consent_denied"),
        ("has-no-broker", "ERRORED", "no_broker"),
        ("fails", "ERRORED", "internal_error"),
        ("leaves-after-login", "USED", None),
        ("never", "INITIALIZED", None),
    ],
)
def test_each_way_to_fail_has_its_words(town: Town, does: str, ends: str, message: str | None) -> None:
    """And no order comes of it."""
    story = town.act(town.create(), does=does)
    last = story.pictures[-1]
    assert (last.status, last.error["message"] if last.error else None) == (ends, message)
    assert town.play(NOON + timedelta(days=3)) == []


@pytest.mark.parametrize("does", ["times-out", "is-queued"])
def test_after_some_errors_an_order_comes_all_the_same(town: Town, does: str) -> None:
    """First the error, minutes later the batch."""
    story = town.act(town.create(), does=does)
    assert statuses(story) == ["INITIALIZED", "USED", "ERRORED", "PROCESSING", "COMPLETED"]
    assert batch_of(story).status == "COMPLETED"


def test_the_review_screen_changes_quantity_and_side(town: Town) -> None:
    """What was asked for stays as it was asked for."""
    story = town.act(town.create(), edits={"INFY": 8})
    assert [leg.quantity for leg in batch_of(story).legs] == [8]
    assert story.asked[0]["quantity"] == 10
    sold = town.act(
        town.create(type="SECURITIES", securities=[{"ticker": "TCS", "quantity": 2, "type": "BUY"}]), turns=["TCS"]
    )
    assert [leg.side for leg in batch_of(sold).legs] == ["SELL"]


def test_more_than_is_held_cannot_be_sold(town: Town) -> None:
    """insufficient_holdings."""
    story = town.act(town.create(type="SECURITIES", securities=[{"ticker": "TCS", "quantity": 5, "type": "SELL"}]))
    error = story.pictures[-1].error
    assert error
    assert error["message"] == "insufficient_holdings"


def test_when_the_market_is_closed_it_depends_on_the_broker() -> None:
    """An after-market order that is filled at the next opening, or market_closed."""
    evening, morning = DAY.at(18), DAY.at(9, 16) + timedelta(days=1)
    town = Town("kite")
    story = town.act(town.create(at=evening), evening)
    assert batch_of(story, evening + timedelta(hours=1)).variety == "amo"
    assert batch_of(story, evening + timedelta(hours=1)).status == "PLACED"
    assert batch_of(story, morning).status == "COMPLETED"
    town = Town("icici")
    story = town.act(town.create(at=evening), evening)
    assert story.pictures[-1].error == {"value": True, "code": 4004, "message": "market_closed"}


def test_a_limit_order_rests_until_the_close(town: Town) -> None:
    """Half of it is filled by day, the rest is cancelled when the session ends."""
    story = town.act(town.create(), limit=True, fills={"INFY": 4})
    (leg,) = batch_of(story, NOON + timedelta(hours=1)).legs
    assert (leg.status, leg.filled, leg.order_type) == ("PLACED", 4, "LIMIT")
    (leg,) = batch_of(story, DAY.at(15, 30)).legs
    assert (leg.status, leg.filled, batch_of(story).status) == ("CANCELLED", 4, "PARTIALLYFILLED")


def test_an_open_leg_can_be_cancelled(town: Town) -> None:
    """An after-market order by its own word; what is not cancelled is filled as it would have been."""
    evening = DAY.at(18)
    legs = [{"ticker": symbol, "quantity": 5, "type": "BUY"} for symbol in ("SBIN", "WIPRO")]
    story = town.act(town.create(at=evening, type="SECURITIES", securities=legs), evening)
    later = evening + timedelta(minutes=10)
    cancel = town.create("CANCEL_AMO", later, batchId=story.batch_id, ticker="SBIN")
    town.act(cancel, later)
    town.play(evening + timedelta(hours=1))
    assert [leg.status for leg in batch_of(story, evening + timedelta(hours=1)).legs] == ["CANCELLED AMO", "PLACED"]
    assert [leg.status for leg in batch_of(story).legs] == ["CANCELLED AMO", "COMPLETE"]
    posts = town.play(evening + timedelta(days=1))
    assert [post.kind for post in posts] == ["placed", "completed"]
    assert posts[-1].batch == batch_of(story)


def test_cancelling_the_only_leg_ends_the_batch(town: Town) -> None:
    """The webhook of what would have been is never sent; that of the end is."""
    story = town.act(town.create(), limit=True, fills={"INFY": 0})
    later = NOON + timedelta(minutes=10)
    town.act(town.create("CANCEL_ORDER", later, batchId=story.batch_id, ticker="INFY"), later)
    posts = town.play(DAY.evening)
    assert [post.kind for post in posts] == ["placed", "completed"]
    assert posts[-1].at < later + timedelta(minutes=2)
    assert (batch_of(story).status, picture_at(story, DAY.evening).status) == ("CANCELLED", "COMPLETED")


def test_a_repair_buys_what_was_left_on_the_same_investment(town: Town) -> None:
    """The earlier batch is FIXED, and the new one has what was missing."""
    first = town.act(town.create(type="BUY", scid="SCMO_0001"), rejects=["ITC"], fills={"SBIN": 1})
    later = NOON + timedelta(hours=1)
    repair = town.act(town.create(at=later, type="FIX", iscid=first.invested), later)
    left = {leg.share.symbol: leg.quantity for leg in batch_of(repair).legs}
    assert left == {"ITC": 10, "SBIN": 2}
    assert batch_of(repair).invested == batch_of(first).invested
    assert batch_of(first).status == "FIXED"
    assert batch_of(repair).status == "COMPLETED"


def test_what_is_left_may_be_waived(town: Town) -> None:
    """The batch is marked complete, and nothing is bought."""
    first = town.act(town.create(type="BUY", scid="SCMO_0001"), rejects=["ITC"])
    later = NOON + timedelta(hours=1)
    waived = town.act(town.create(at=later, type="ARCHIVE", iscid=first.invested), later)
    assert batch_of(first).status == "MARKEDCOMPLETE"
    assert waived.pictures[-1].batch is None


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_import_gives_consent_and_posts_what_is_held(town: Town, version: str) -> None:
    """Signed over timestamp and smallcaseAuthId."""
    town.person.consented = False
    asked = Asked(intent="HOLDINGS_IMPORT", version=version, notes="for Asha")
    town.act(town.doings.create(asked, town.person.account.auth_id, NOON))
    (post,) = town.play(NOON + timedelta(hours=1))
    body = json.loads(webhook_body(post, SECRETS))
    assert town.person.consented
    assert body["notes"] == "for Asha"
    assert isinstance(body["securities"], list if version == "v2" else dict)
    assert body["checksum"] == checksum("two", body["timestamp"], body["smallcaseAuthId"])
    request = Request(method="GET", path="", query={}, headers={})
    answer = Accounts(town.doings.world).answer("holdings", request, "a" * 24, DAY.at(13))
    assert answer.status == 200


def test_mutual_funds_are_signed_over_their_transaction(town: Town) -> None:
    """And tell a summary and the transactions."""
    town.act(town.create("MF_HOLDINGS_IMPORT"))
    (post,) = town.play(NOON + timedelta(hours=1))
    body = json.loads(webhook_body(post, SECRETS))
    assert {"summary", "transactions"} <= set(body)
    assert body["checksum"] == checksum("two", body["timestamp"], body["transactionId"])


@pytest.mark.parametrize("intent", ["CONNECT", "FETCH_FUNDS", "SIP_SETUP", "AUTHORISE_HOLDINGS", "ONBOARDING"])
def test_the_other_intents_complete_without_a_webhook(town: Town, intent: str) -> None:
    """They are told by the API alone."""
    story = town.act(town.create(intent))
    assert statuses(story) == ["INITIALIZED", "USED", "COMPLETED"]
    assert town.play(DAY.evening) == []


INFY = {"ticker": "INFY", "quantity": 1, "type": "BUY"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"intent": "DANCE"}, "unknown intent"),
        ({"intent": "FETCH_FUNDS"}, "connected user's token"),
        ({"intent": "CANCEL_ORDER", "orderConfig": {}}, "connected user's token"),
        ({"intent": "TRANSACTION"}, "orderConfig is no object"),
        ({"intent": "TRANSACTION", "orderConfig": {"type": "SECURITIES", "securities": []}}, "at least one"),
        ({"intent": "TRANSACTION", "orderConfig": {"type": "LOTTERY"}}, "unknown type"),
        ({"intent": "TRANSACTION", "orderConfig": {"type": "BUY", "scid": "SCMO_9999"}}, "no scid that is known"),
        (
            {"intent": "TRANSACTION", "orderConfig": {"type": "SECURITIES", "securities": [INFY, {"ticker": "ITC"}]}},
            "for some securities and not for all",
        ),
        ({"intent": "MF_HOLDINGS_IMPORT", "assetConfig": {"pan": "abcde1234f"}}, "PAN in upper case"),
        ({"intent": "HOLDINGS_IMPORT", "version": "v3"}, "v1 or v2"),
        ({"intent": "HOLDINGS_IMPORT", "notes": "x" * 257}, "at most 256"),
    ],
)  # fmt: skip
def test_a_transaction_asked_for_wrongly_is_refused(body: object, says: str) -> None:
    """Each with its own words."""
    with pytest.raises(AskedWronglyError, match=says):
        read_asked(json.dumps(body).encode(), connected=False)


def test_after_a_rotation_the_old_secrets_are_taken_for_a_while() -> None:
    """New ones sign at once; nothing may be the same twice."""
    ring, new = Keyring(SECRETS), Secrets(jwt="three", api="four")
    with pytest.raises(SameSecretsError):
        ring.rotate(Secrets(jwt="one", api="four"), old_until=NOON)
    ring.rotate(new, old_until=NOON)
    assert ring.current == new
    assert ring.taken(NOON - timedelta(seconds=1)) == [new, SECRETS]
    assert ring.taken(NOON) == [new]
