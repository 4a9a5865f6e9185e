"""What is still to happen, in order of its instants: webhooks to be posted and things to be done."""

from __future__ import annotations

import threading
from bisect import insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from simulator.story import Post

Deed = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A post that is due; `attempt` counts from 0, `first_at` is when it was posted first."""

    post: Post
    first_at: datetime
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Something at an instant; of two at the same, the one that was added first."""

    at: datetime
    what: Delivery | Deed
    turn: int


class Timeline:
    """Used from two threads: the one that plays takes, both add."""

    def __init__(self, posts: Iterable[Post] = ()) -> None:
        """Begin with these posts, each at its own instant."""
        self._lock = threading.Lock()
        self._turn = 0
        self._items: list[Item] = []
        for post in posts:
            self.add(post.at, Delivery(post=post, first_at=post.at))

    def add(self, at: datetime, what: Delivery | Deed) -> None:
        """Let that happen then."""
        with self._lock:
            self._turn += 1
            insort(self._items, Item(at=at, what=what, turn=self._turn), key=lambda item: (item.at, item.turn))

    def take(self, until: datetime) -> Item | None:
        """The first thing that happens by then, which is forgotten here; None if there is none."""
        with self._lock:
            return self._items.pop(0) if self._items and self._items[0].at <= until else None

    def drop(self, gone: Callable[[Post], bool]) -> None:
        """Forget the posts that are gone."""
        with self._lock:
            self._items = [i for i in self._items if not (isinstance(i.what, Delivery) and gone(i.what.post))]

    def next_at(self) -> datetime | None:
        """When the next thing happens."""
        with self._lock:
            return self._items[0].at if self._items else None

    def to_post(self) -> int:
        """How many first posts are still to be sent."""
        with self._lock:
            return sum(_is_first_post(item.what) for item in self._items)

    def __len__(self) -> int:
        """How many things are still to happen."""
        return len(self._items)


def _is_first_post(what: Delivery | Deed) -> bool:
    return isinstance(what, Delivery) and not what.attempt and not what.post.withheld
