"""What several answers of the Gateway say together: taken back, said again, at once, and orders told in parts."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal

from bench.corpus.draw import INFY, Draw
from bench.corpus.registry import CLEAN, plant
from bench.corpus.story import MICRO, ZERO, Answer, Row, Story

ONE = Decimal(1)
PAISA = Decimal("0.01")


def _ten(draw: Draw) -> Story:
    """Ten shares bought, in one leg."""
    return draw.story(draw.legs(shares=[INFY], side="BUY", quantity=10))


def _open(story: Story, filled: int) -> Answer:
    """The answer as it was while so many were filled."""
    earlier = deepcopy(story.answer)
    batch, leg = earlier.batches[0], earlier.batches[0].legs[0]
    earlier.status, batch.status, batch.completed_at = "PROCESSING", "PLACED", None
    leg.status, leg.filled = "PARTIAL" if filled else "PLACED", Decimal(filled)
    leg.price = leg.price if filled else None
    batch.add_up()
    return earlier


def _less(story: Story, filled: int) -> Answer:
    """The last answer, but for fewer filled."""
    answer = deepcopy(story.answers[0])
    answer.batches[0].legs[0].filled = Decimal(filled)
    return answer


@plant("regression", "taken back twice", "taken back and said again")
def taken_back(draw: Draw, variant: str) -> Story:
    """However often it is taken back, it is one finding of that leg; saying it again does not undo it."""
    story = _ten(draw)
    story.answers.append(_less(story, 8))
    story.answers.append(_less(story, 7) if variant.endswith("twice") else deepcopy(story.answers[0]))
    story.finds("regression", story.rows[0])
    return story


@plant("regression", "while it was open, and later filled")
def taken_back_while_open(draw: Draw, _variant: str) -> Story:
    """Five were filled, then four, then all ten: the state is the last, and that it fell is told of the leg."""
    story = _ten(draw)
    story.answers[:0] = [_open(story, 5), _open(story, 4)]
    story.finds("regression", story.rows[0])
    return story


@plant(CLEAN, "at once: completed and in process", "at once: two prices", "at once: a batch and none")
def at_once(draw: Draw, variant: str) -> Story:
    """Two answers that overlapped contradict each other: nothing is concluded and every line waits."""
    story = _ten(draw)
    later = deepcopy(story.answer)
    later.overlaps = story.undecided = True
    if variant.endswith("process"):
        later.status = "PROCESSING"
    elif variant.endswith("prices"):
        later.batches[0].legs[0].price = (later.batches[0].legs[0].price or ZERO) + 7
    else:
        later.batches.clear()
    story.answers.append(later)
    return story


@plant(CLEAN, "at once, and a third answer settles it", "at once, and one only tells progress")
def settled_after_all(draw: Draw, variant: str) -> Story:
    """A question asked after both decides; and what only grew in between contradicts nothing."""
    story = _ten(draw)
    final = story.answer
    if variant.endswith("progress"):
        final.overlaps = True
        story.answers.insert(0, _open(story, 0))
        return story
    contradiction = _less(story, 8)
    contradiction.overlaps = True
    story.answers += [contradiction, deepcopy(final)]
    return story


@plant(CLEAN, "an answer that was asked for again and says nothing new")
def nothing_new(draw: Draw, _variant: str) -> Story:
    """Five answers from placed to filled, some of them twice."""
    story = _ten(draw)
    final = story.answer
    story.answers[:0] = [_open(story, filled) for filled in (0, 3, 3, 7)]
    story.answers.append(deepcopy(final))
    return story


def _parts(draw: Draw, *prices: Callable[[Decimal], Decimal]) -> tuple[Story, list[Row]]:
    """One leg of thirty that the books hold in as many lines, at those prices."""
    story = draw.story(draw.legs(1, quantity=30, side="BUY"))
    whole = story.rows.pop()
    parts = [story.book(whole, order_id=f"{whole.order_id}/{number}") for number in range(len(prices))]
    for part, price in zip(parts, prices, strict=True):
        part.quantity = part.filled = Decimal(30) / len(prices)
        part.price = price(whole.price or ZERO)
        story.bearers[part.order_id] = parts[0].order_id
    return story, parts


def _dearer(by: Decimal) -> Callable[[Decimal], Decimal]:
    return lambda price: price + by


@plant("price-in-tol", "of parts, on average a paisa")
def parts_in_tolerance(draw: Draw, _variant: str) -> Story:
    """The average price of the parts is a paisa off: the first part bears the note, all lie with it."""
    story, parts = _parts(draw, _dearer(ZERO), _dearer(2 * PAISA))
    story.finds("price-in-tol", parts[0])
    return story


@plant("price-out", "of parts, on average a millionth beyond a paisa", "of parts, on average five rupees")
def parts_beyond_tolerance(draw: Draw, variant: str) -> Story:
    """The average price of the parts is further off."""
    beyond = 2 * (PAISA + MICRO) if "millionth" in variant else Decimal(10)
    story, parts = _parts(draw, _dearer(ZERO), _dearer(beyond))
    story.finds("price-out", parts[0])
    return story


@plant("dup-internal", "parts that are one too many", "parts that are a millionth short")
def parts_that_do_not_add_up(draw: Draw, variant: str) -> Story:
    """Lines that do not make up the leg exactly are no parts of it: nobody can say which one is the order."""
    story, parts = _parts(draw, _dearer(ZERO), _dearer(ZERO))
    story.bearers.clear()
    parts[1].quantity += ONE if variant.endswith("many") else -MICRO
    parts[1].filled = parts[1].quantity
    for part in parts:
        story.finds("dup-internal", part)
        story.finds("ambiguous", part)
    story.finds("ambiguous", story.batch.legs[0])
    return story
