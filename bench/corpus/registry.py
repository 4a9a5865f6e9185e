"""The list of plants: one function a kind, each with its variants; further parts add theirs by the decorator.

    @plant("qty-filled", "one short", "a millionth short")
    def qty_filled(draw: Draw, variant: str) -> Story: ...

The function makes one whole story with the fault in it and says by `Story.finds` what is true then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.corpus.draw import Draw
from bench.corpus.story import Story

CLEAN = "clean"  #: the kind of stories in which nothing may be found

Make = Callable[[Draw, str], Story]


@dataclass(frozen=True, slots=True)
class Plant:
    """One kind with one of its variants."""

    kind: str
    variant: str
    make: Make

    @property
    def title(self) -> str:
        """As it goes to listings."""
        return f"{self.kind}: {self.variant}" if self.variant else self.kind

    def story(self, draw: Draw) -> Story:
        """One transaction with this fault in it."""
        story = self.make(draw, self.variant)
        for number, one in enumerate(story.family):
            one.plants.append(f"{self.title}, transaction {number + 1}" if number else self.title)
        return story


PLANTS: list[Plant] = []


def plant(kind: str, *variants: str) -> Callable[[Make], Make]:
    """Register a function that plants this kind, once for each variant."""

    def register(make: Make) -> Make:
        PLANTS.extend(Plant(kind, variant, make) for variant in variants or ("",))
        return make

    return register


def of_kind(kind: str) -> Sequence[Plant]:
    """The plants of one kind."""
    return [each for each in PLANTS if each.kind == kind]
