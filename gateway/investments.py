"""A user's investments in smallcases, read leniently: the shape is known only in outline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.consent import data_of
from gateway.lenient import Notes, NotUnderstood, Place
from gateway.smallcases import PRIVATE, PUBLIC, SmallcaseLine, lines_in, smallcases_in, total_in
from gateway.wire import EmptyAnswer

_LISTS: Final = ("investments", "data")
_ELSEWHERE: Final = ("success", "errors", "message", "smallcaseAuthId", "broker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Investments:
    """What one answer says an account has invested in."""

    lines: tuple[SmallcaseLine, ...]
    refused: int  #: rows that could not be taken
    not_understood: tuple[NotUnderstood, ...]


def read_investments(body: bytes) -> Investments:
    """What an answer about a user's investments says: a total, one list, or public and private apart.

    Raises `Nonsense`, `EmptyAnswer`, `KeysRefused` or `NeedsConsent`, nothing else.
    """
    notes = Notes()
    place = Place(data_of(body), "", notes)
    if not any(key in place.value for key in (*_LISTS, "smallcases", "aggregated", PUBLIC, PRIVATE)):
        raise EmptyAnswer("the answer names no investments")
    lines = _lines(place)
    return Investments(lines=lines, refused=notes.refused, not_understood=notes.all())


def _lines(place: Place) -> tuple[SmallcaseLine, ...]:
    place.pass_over(*_ELSEWHERE)
    key, value = place.take(*_LISTS)
    if isinstance(value, list):
        found = lines_in(place, value, place.at(key), PUBLIC)
    else:
        found = smallcases_in(place.inner(*_LISTS))
    found += smallcases_in(place.inner("smallcases")) + total_in(place)
    if PUBLIC in place.value or PRIVATE in place.value:
        return found + smallcases_in(place)
    place.leave()
    return found
