"""The Gateway contradicts itself, and the books agree with what truly happened: one planted fault each."""

from __future__ import annotations

from dataclasses import replace

from simulator.draw import Draw
from simulator.story import Story, ordinary

_ODD_AMOUNT = 5.0


def overfill(draw: Draw, _turn: int) -> Story:
    """Twelve filled of an order of ten, by both sides' account."""
    legs = draw.legs(quantity=10)
    story = ordinary(draw, "overfill", [replace(legs[0], filled=12), *legs[1:]])
    story.find("overfill", story.books[0])
    return story


def batch_sum(draw: Draw, _turn: int) -> Story:
    """The batch says one more than its legs."""
    story = ordinary(draw, "batch-sum", draw.legs(), odd={"filled": 1})
    story.find("batch-sum")
    return story


def price_absent(draw: Draw, _turn: int) -> Story:
    """Filled at an average price of zero, the amounts being right."""
    legs = draw.legs()
    story = ordinary(draw, "price-absent", [replace(legs[0], shown_price=0), *legs[1:]])
    story.find("price-absent", story.books[0])
    return story


def amount_sum(draw: Draw, _turn: int) -> Story:
    """The amount is five rupees more than its fills."""
    legs = [replace(leg, side="BUY") for leg in draw.legs()]
    story = ordinary(draw, "amount-sum", legs, odd={"amount": _ODD_AMOUNT})
    story.find("amount-sum")
    return story


def batch_vs_lines(draw: Draw, _turn: int) -> Story:
    """The batch says COMPLETED although every leg was cancelled unfilled."""
    legs = [replace(leg, filled=0, status="CANCELLED") for leg in draw.legs()]
    story = ordinary(draw, "batch-vs-lines", legs)
    story.find("batch-vs-lines")
    return story


def unknown_word(draw: Draw, _turn: int) -> Story:
    """One leg ends in a word that nobody has heard of; the books say cancelled."""
    legs = draw.legs(least=2)
    frozen = replace(legs[0], filled=0, status="FROZEN")
    story = ordinary(draw, "unknown-word", [frozen, *legs[1:]], word="PARTIALLYFILLED")
    story.find("unknown-enum", story.rebook(0, status="CANCELLED"))
    return story
