"""A scenario put on the timeline, and the company's side of what its people do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from simulator.api import picture_at
from simulator.asked import CANCELS, Asked
from simulator.company import BookLine, Registration
from simulator.doings import CannotActError, Doings
from simulator.exchange import date_in_india
from simulator.letters import Letter
from simulator.orders import Batch, Json, Leg
from simulator.people import Person
from simulator.plan import Finding
from simulator.scenario import Sent, Step
from simulator.story import Post, Story
from simulator.timeline import Delivery


@dataclass(slots=True, kw_only=True)
class Stage:
    """Puts steps on the timeline and keeps what became of them."""

    doings: Doings
    told: Callable[[str], None]  #: is told what could not be done
    played: dict[str, Story] = field(default_factory=dict)
    of_step: dict[str, Step] = field(default_factory=dict)

    def set(self, steps: Sequence[Step]) -> None:
        """Let each step happen at its instant."""
        for step in steps:
            self.doings.timeline.add(step.at, self._making(step))

    def send(self, letters: Sequence[Sent]) -> None:
        """Let each of these webhooks be posted at its instant."""
        for letter in letters:
            person = self.doings.world.people.named(letter.person)
            assert person is not None  # checked when the scenario was read
            post = Post(
                at=letter.at,
                kind="letter",
                transaction_id=letter.transaction_id,
                account=person.account.auth_id,
                batch=Letter(content=letter.content, signs=letter.signs),
                signed_at=letter.at,
                content="letter",
            )
            self.doings.timeline.add(letter.at, Delivery(post=post, first_at=letter.at))

    def lines(self, now: datetime) -> list[BookLine]:
        """The company's books of what was placed by now."""
        stories = [story for story in self.doings.made if self._is_booked(story)]
        return [line for story in stories for line in self._lines_of(story, now)]

    def registrations(self, now: datetime) -> list[Registration]:
        """The transactions made by now."""
        return [story.registration() for story in self.doings.made if story.created_at <= now]

    def findings(self, now: datetime) -> list[Finding]:
        """What is to be found by now, by what the steps say."""
        found = []
        for story in self.doings.made:
            step = self.of_step.get(story.transaction_id)
            for wanted in step.finds if step else ():
                name, _, symbol = wanted.partition(":")
                found.append((name, story.transaction_id, self._line(story, symbol, now) if symbol else None))
        return found

    def _making(self, step: Step) -> Callable[[], None]:
        def make() -> None:
            person = self.doings.world.people.named(step.person)
            assert person is not None  # checked when the scenario was read
            asked = Asked(
                intent=step.intent, config=self._config(step), notes=step.notes, version=step.version,
            )  # fmt: skip
            story = self.doings.create(asked, "" if step.guest else person.account.auth_id, step.at)
            self.of_step[story.transaction_id] = step
            if step.name:
                self.played[step.name] = story
            self.doings.timeline.add(
                step.at + timedelta(seconds=step.begins_after_s), self._acting(step, story, person)
            )

        return make

    def _acting(self, step: Step, story: Story, person: Person) -> Callable[[], None]:
        def act() -> None:
            try:
                self.doings.act(story, person, step.act, step.at + timedelta(seconds=step.begins_after_s))
            except CannotActError as error:
                self.told(f"{step.person} at {step.at:%H:%M:%S}: {error}")

        return act

    def _config(self, step: Step) -> Json:
        earlier = self.played.get(step.of)
        if step.intent in CANCELS:
            return {"batchId": earlier.batch_id if earlier else "", "ticker": step.symbol}
        if step.kind:
            return {"type": step.kind, **({"iscid": earlier.invested} if earlier else {"scid": step.smallcase})}
        legs = [(symbol, count, "BUY") for symbol, count in step.buy.items()]
        legs += [(symbol, count, "SELL") for symbol, count in step.sell.items()]
        securities = [{"ticker": symbol, "quantity": count, "type": side} for symbol, count, side in legs]
        return {"type": "SECURITIES", "securities": securities} if securities else {}

    def _is_booked(self, story: Story) -> bool:
        step = self.of_step.get(story.transaction_id)
        return step.booked if step else True

    def _lines_of(self, story: Story, now: datetime) -> Iterable[BookLine]:
        batch = picture_at(story, now).batch
        if batch is None or story.created_at > now:
            return
        turn = self.doings.made.index(story) + 1
        for place, leg in enumerate(batch.legs, start=1):
            yield self._book_line(story, batch, leg, f"ORD-S{turn:04d}-{place:02d}", now)

    def _book_line(self, story: Story, batch: Batch, leg: Leg, order_id: str, now: datetime) -> BookLine:
        ended_at = batch.completed_at if batch.completed_at and batch.completed_at <= now else None
        day = date_in_india(self.doings.world.exchange.closing_after(story.created_at))
        return story.booked(leg, order_id=order_id, batch_id=batch.batch_id, on=day, executed_at=ended_at)

    def _line(self, story: Story, symbol: str, now: datetime) -> str | None:
        """How the truth names that leg: by the books' order id, else by the exchange's."""
        batch = picture_at(story, now).batch
        for line in self._lines_of(story, now) if self._is_booked(story) else ():
            if line.symbol == symbol:
                return line.order_id
        legs: Mapping[str, Leg] = {leg.share.symbol: leg for leg in batch.legs} if batch else {}
        return legs[symbol].exchange_id if symbol in legs else None
