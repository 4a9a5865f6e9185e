"""The company's books are wrong, the Gateway is right: one planted fault each."""

from __future__ import annotations

from dataclasses import replace

from simulator.draw import Draw
from simulator.story import Story, ordinary

_IN_TOLERANCE, _OUT_OF_TOLERANCE = 1, 50  #: paise


def missing_internal(draw: Draw, turn: int) -> Story:
    """A line was never entered: the only one, or one of a basket."""
    legs = draw.legs(least=1 + turn % 2)
    story = ordinary(draw, "missing-internal", legs)
    story.books.pop()
    story.find("missing-internal", legs[-1])
    return story


def missing_external(draw: Draw, _turn: int) -> Story:
    """A filled line was entered that the Gateway never had."""
    legs = draw.legs()
    story = ordinary(draw, "missing-external", legs)
    share = draw.share_besides([leg.share for leg in legs])
    extra = replace(legs[0], share=share, price=share.price, exchange_id=draw.exchange_id())
    story.book(draw, [extra], on=draw.day.trade_date, executed_at=story.books[0].executed_at)
    story.find("missing-external", story.books[-1])
    return story


def qty_filled(draw: Draw, _turn: int) -> Story:
    """Ten were filled, seven were booked."""
    story = ordinary(draw, "qty-filled", draw.legs(quantity=10))
    story.find("qty-filled", story.rebook(0, filled=7))
    return story


def price_in_tolerance(draw: Draw, _turn: int) -> Story:
    """Booked one paisa dearer: within what two rounded prices may differ."""
    return _dearer(draw, "price-in-tol", _IN_TOLERANCE)


def price_out(draw: Draw, _turn: int) -> Story:
    """Booked half a rupee dearer."""
    return _dearer(draw, "price-out", _OUT_OF_TOLERANCE)


def side(draw: Draw, _turn: int) -> Story:
    """A purchase booked as a sale, or the reverse."""
    legs = draw.legs()
    story = ordinary(draw, "side", legs)
    story.find("side", story.rebook(0, side="SELL" if legs[0].side == "BUY" else "BUY"))
    return story


def instrument(draw: Draw, _turn: int) -> Story:
    """Another share under the same exchange order id."""
    legs = draw.legs()
    story = ordinary(draw, "instrument", legs)
    other = draw.share_besides([leg.share for leg in legs])
    story.find("instrument", story.rebook(0, symbol=other.symbol, isin=other.isin))
    return story


def account(draw: Draw, _turn: int) -> Story:
    """Booked on somebody else."""
    story = ordinary(draw, "account", draw.legs())
    story.find("account", story.rebook(0, account=draw.another(story.account).auth_id))
    return story


def status_conflict(draw: Draw, _turn: int) -> Story:
    """Rejected at the exchange, booked as cancelled; nothing was filled either way."""
    legs = [replace(leg, filled=0, status="REJECTED") for leg in draw.legs()]
    story = ordinary(draw, "status-conflict", legs, word="UNFILLED")
    story.find("status-conflict", story.rebook(0, status="CANCELLED"))
    return story


def books_behind(draw: Draw, _turn: int) -> Story:
    """Filled, and the books still have it as placed."""
    story = ordinary(draw, "books-behind", draw.legs())
    story.find("books-behind", story.rebook(0, status="PLACED", filled=0, price=None, executed_at=None))
    return story


def ambiguous(draw: Draw, _turn: int) -> Story:
    """Two orders of six, booked as five and seven without exchange ids: nobody can tell which is which."""
    legs = draw.twins(6)
    story = ordinary(draw, "ambiguous", legs)
    for index, quantity in enumerate((5, 7)):
        line = story.rebook(index, quantity=quantity, filled=quantity, exchange_id="")
        story.find("ambiguous", line)
        story.find("ambiguous", legs[index])
    return story


def _dearer(draw: Draw, plot: str, paise: int) -> Story:
    legs = draw.legs()
    story = ordinary(draw, plot, legs)
    story.find(plot, story.rebook(0, price=legs[0].price + paise))
    return story
