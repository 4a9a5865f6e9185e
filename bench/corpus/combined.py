"""Several breaks at once: on one line, in one batch, in one day. What is true is what is true of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from datetime import date
from decimal import Decimal
from itertools import combinations

from bench.corpus.draw import Draw
from bench.corpus.registry import PLANTS, Plant
from bench.corpus.story import ZERO, Leg, Row, Story, at

ONE = Decimal(1)
TRIES = 12  #: draws until a plant fits to the others


def _account(draw: Draw, row: Row) -> None:
    row.account = draw.hex24()


def _broker(_draw: Draw, row: Row) -> None:
    row.broker = "groww"


def _side(_draw: Draw, row: Row) -> None:
    row.side = "SELL" if row.side == "BUY" else "BUY"


def _price(draw: Draw, row: Row) -> None:
    row.price = (row.price or ZERO) + draw.paise(2, 500)


def _quantity(_draw: Draw, row: Row) -> None:
    row.quantity += ONE


def _filled(_draw: Draw, row: Row) -> None:
    row.filled = (row.filled or ZERO) - ONE


#: Faults of one line of the books that do not touch each other: any of them together are all found.
FAULTS: dict[str, Callable[[Draw, Row], None]] = {
    "account": _account,
    "account of a broker": _broker,
    "side": _side,
    "price-out": _price,
    "qty-requested": _quantity,
    "qty-filled": _filled,
}
_NAMES = {name: "account" if name.startswith("account") else name for name in FAULTS}


def on_one_line(draw: Draw) -> Iterator[Story]:
    """One line with every combination of two or more faults."""
    for number in range(2, len(FAULTS) + 1):
        for names in combinations(FAULTS, number):
            story = draw.story()
            row = draw.chance.choice(story.rows)
            for name in names:
                FAULTS[name](draw, row)
                story.finds(_NAMES[name], row)
            story.plants.append(f"on one line: {', '.join(names)}")
            yield story


def in_one_batch(draw: Draw, count: int) -> Iterator[Story]:
    """So many batches, each with two to four plants on lines of their own."""
    fitting = [each for each in PLANTS if _may_fit(each)]
    for _ in range(count):
        day = draw.day()
        stories = [_drawn(draw, fitting, day) for _ in range(draw.chance.randint(2, 4))]
        yield joined(draw, stories, day)


def _batch_sum(story: Story) -> None:
    story.batch.filled = (story.batch.filled or ZERO) + ONE
    story.tell_again()
    story.finds("batch-sum")


def _amount_sum(story: Story) -> None:
    story.batch.buy_amount = (story.batch.buy_amount or ZERO) + 99_999
    story.tell_again()
    story.finds("amount-sum")


def _variety(story: Story) -> None:
    story.batch.variety = "bracket"
    story.tell_again()
    story.finds("unknown-enum")


def _missed(story: Story) -> None:
    story.webhooks.pop(0)
    story.finds("webhook-missed")


def _garbled(story: Story) -> None:
    story.garbled.append(b'{"batchId": 7, "transactionId": "%s"}' % story.transaction_id.encode())
    story.finds("payload-invalid")


def _taken_back(story: Story) -> None:
    story.answers.append(deepcopy(story.answer))
    story.answer.status = "PROCESSING"
    story.finds("regression")


def _forged(story: Story) -> None:
    story.hear(story.batch, story.webhooks[0].received_at).batch.filled = Decimal(99_999)
    story.finds("webhook-differs")


#: Faults of a batch or of its transaction that do not touch each other, in the order in which they are made.
ABOVE: dict[str, Callable[[Story], None]] = {
    "batch-sum": _batch_sum,
    "amount-sum": _amount_sum,
    "unknown-enum": _variety,
    "webhook-differs": _forged,
    "webhook-missed": _missed,
    "payload-invalid": _garbled,
    "regression": _taken_back,
}


def above_the_lines(draw: Draw, count: int) -> Iterator[Story]:
    """So many batches as before, with one to four faults of the batch or the transaction besides."""
    for story in in_one_batch(draw, count):
        chosen = set(draw.chance.sample(list(ABOVE), draw.chance.randint(1, 4)))
        if not _adds_up(story):
            chosen.discard("amount-sum")  # it is not judged where a fill has no price, or no side
        if "webhook-missed" in chosen:
            chosen.discard("webhook-differs")  # what is heard, true or not, is not missed
        for name, spoil in ABOVE.items():
            if name in chosen:
                spoil(story)
        story.plants.append(f"above its lines: {', '.join(sorted(chosen))}")
        yield story


def _adds_up(story: Story) -> bool:
    return all(leg.price and leg.side in ("BUY", "SELL") for leg in story.batch.legs if leg.filled)


def _drawn(draw: Draw, fitting: Sequence[Plant], day: date) -> Story:
    for _ in range(TRIES):
        story = draw.chance.choice(fitting).story(draw)
        if story.trade_date == day and is_of_lines_alone(story):
            return story
    return draw.story(day=day)


def _may_fit(each: Plant) -> bool:
    return is_of_lines_alone(each.story(Draw(1)))


def is_of_lines_alone(story: Story) -> bool:
    """Whether all that is true of the story is true of its lines, which exchange order ids tell apart."""
    if len(story.answers) != 1 or len(story.answer.batches) != 1 or len(story.webhooks) != 1:
        return False
    if story.siblings or story.garbled or story.complete or story.undecided or story.requested:
        return False
    if story.as_of != at(story.trade_date, "20:30"):
        return False
    batch, answer = story.batch, story.answer
    same = deepcopy(batch)
    same.add_up()
    usual = (answer.status, batch.status, batch.variety) == ("COMPLETED", "COMPLETED", "regular")
    usual = usual and batch.completed_at is not None and not batch.more and not answer.more
    told = same == batch == story.webhooks[0].batch and story.webhooks[0].account == answer.account
    return usual and told and all(found.line for found in story.truth) and _told_apart(story)


def _told_apart(story: Story) -> bool:
    legs = {leg.exchange_order_id: leg for leg in story.batch.legs}
    ids = [row.exchange_order_id for row in story.rows]
    known = all(ids) and all(legs) and len(set(ids)) == len(ids) and len(legs) == len(story.batch.legs)
    same = all(legs[i].exchange == row.exchange for i, row in zip(ids, story.rows, strict=True) if i in legs)
    return bool(known and same and all(leg.placed for leg in legs.values()) and _of_its_day(story))


def _of_its_day(story: Story) -> bool:
    return all(row.trade_date == story.trade_date and row.executed_at is None for row in story.rows)


def joined(draw: Draw, stories: Sequence[Story], day: date) -> Story:
    """One transaction of one batch that holds the lines of all these, and all that is true of them."""
    legs: list[Leg] = [leg for story in stories for leg in story.batch.legs]
    whole = draw.story(legs, day=day)
    whole.rows = [_moved(row, story, whole) for story in stories for row in story.rows]
    whole.truth = [found for story in stories for found in story.truth]
    whole.plants = [title for story in stories for title in story.plants]
    whole.stored = all(story.stored for story in stories)
    return whole


def _moved(row: Row, story: Story, whole: Story) -> Row:
    """The line as it stands in the other transaction."""
    row.transaction_id, row.trade_date = whole.transaction_id, whole.trade_date
    if row.account == story.answer.account:
        row.account = whole.answer.account or ""
    return row
