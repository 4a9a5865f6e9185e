"""All answers about one transaction, folded oldest question first into what holds now.

The state never goes back: when a later answer says less than an earlier one, the earlier
batch stands whole and the fall is recorded.
Answers whose calls overlapped prove nothing against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from msgspec.structs import replace

from recon.progress import Fall, falls, legs_carried, rises
from recon.values import Answer, Batch, Leg, Regression, Snapshot, State
from recon.words import COMPLETED, transaction_word


class Mark(StrEnum):
    """What one snapshot brought."""

    NEWS = "news"
    SAME = "same"
    OUT_OF_ORDER = "out-of-order"
    OVERLAP = "overlap"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What all snapshots together say, and the mark of each in the order they were given."""

    state: State
    marks: tuple[Mark, ...]


def fold(snapshots: Sequence[Snapshot]) -> State:
    """What all snapshots together say, in whatever order they are given.

    Raises ValueError when there is none: without an answer there is no state.
    """
    return trace(snapshots).state


def trace(snapshots: Sequence[Snapshot]) -> History:
    """As `fold`, with what each snapshot brought."""
    if not snapshots:
        raise ValueError("no snapshot, no state: fold at least one answer")
    order = sorted(range(len(snapshots)), key=lambda place: _question(snapshots[place]))
    folding = _Folding()
    marks = {place: folding.take(snapshots[place]) for place in order}
    for place in order:
        if marks[place] is not Mark.OVERLAP and _came_late(snapshots[place], snapshots):
            marks[place] = Mark.OUT_OF_ORDER
    return History(state=folding.state(), marks=tuple(marks[place] for place in range(len(snapshots))))


def _question(snapshot: Snapshot) -> tuple[datetime, datetime, str]:
    return (snapshot.asked_at, snapshot.answered_at, snapshot.ref)


def _came_late(snapshot: Snapshot, snapshots: Sequence[Snapshot]) -> bool:
    """Whether the answer to a later question was already there when this one came."""
    return any(other.asked_at > snapshot.asked_at and other.answered_at < snapshot.answered_at for other in snapshots)


@dataclass(slots=True)
class _Folding:
    """The state as it grows, with the instant until which each part was in flight."""

    answer: Answer | None = None
    ref: str = ""
    batches: dict[str, Batch] = field(default_factory=dict)
    stated_until: dict[str, datetime] = field(default_factory=dict)  #: per batch, "" the transaction
    regressions: dict[tuple[str, str, str], Regression] = field(default_factory=dict)
    unclear_until: datetime | None = None

    def take(self, snapshot: Snapshot) -> Mark:
        """Fold one snapshot, asked for later than all before it."""
        if self.unclear_until is not None and snapshot.asked_at >= self.unclear_until:
            self.unclear_until = None
        before = (self.answer, tuple(self.batches.values()))
        overlaps = self._take_batches(snapshot)
        overlaps = self._take_transaction(snapshot) or overlaps
        self.ref = snapshot.ref or self.ref
        if overlaps:
            return Mark.OVERLAP
        return Mark.SAME if before == (self.answer, tuple(self.batches.values())) else Mark.NEWS

    def state(self) -> State:
        """What holds now."""
        assert self.answer is not None
        return State(
            answer=replace(self.answer, batches=tuple(self.batches.values())),
            regressions=tuple(self.regressions.values()),
            settled=self.unclear_until is None,
            ref=self.ref,
        )

    def _take_batches(self, snapshot: Snapshot) -> bool:
        stated = {batch.batch_id: batch for batch in snapshot.answer.batches}
        overlaps = False
        for batch_id in [*self.batches, *(new for new in stated if new not in self.batches)]:
            overlaps = self._take_batch(batch_id, stated.get(batch_id), snapshot) or overlaps
        return overlaps

    def _take_batch(self, batch_id: str, after: Batch | None, snapshot: Snapshot) -> bool:
        """Fold one batch; whether it disagrees with an answer that was in flight beside it."""
        before = self.batches.get(batch_id)
        fallen = [] if before is None else falls(before, after)
        if not fallen:
            return self._replace(before, after, snapshot)
        if self._in_flight(batch_id, snapshot):
            self._conclude_nothing(batch_id, snapshot)
            return True
        for fall in fallen:
            self._record(batch_id, fall, snapshot.ref)
        return False

    def _replace(self, before: Batch | None, after: Batch | None, snapshot: Snapshot) -> bool:
        """Let the later batch stand; whether it only differs from one in flight, telling no progress."""
        if after is None or before == after:
            return False
        if before is not None:
            after = replace(after, iscid=after.iscid or before.iscid, label=after.label or before.label)
        self.batches[after.batch_id] = after
        sideways = before is not None and not rises(before, after) and self._in_flight(after.batch_id, snapshot)
        if sideways:
            self._conclude_nothing(after.batch_id, snapshot)
        if before is not None:
            self._carry(before, after)
        self.stated_until[after.batch_id] = snapshot.answered_at
        return sideways

    def _take_transaction(self, snapshot: Snapshot) -> bool:
        """Fold what the answer says of the transaction itself, which never leaves COMPLETED."""
        before, after = self.answer, snapshot.answer
        if before is None or not _leaves_completed(before, after):
            self.answer = after if before is None else _filled_in(after, before)
            self.stated_until[""] = snapshot.answered_at
            return False
        if self._in_flight("", snapshot):
            self._conclude_nothing("", snapshot)
            return True
        self._record("", Fall("status", before.status, after.status), snapshot.ref)
        return False

    def _in_flight(self, part: str, snapshot: Snapshot) -> bool:
        """Whether the answer that stands had not yet come when this question was asked."""
        until = self.stated_until.get(part)
        return until is not None and snapshot.asked_at < until

    def _conclude_nothing(self, part: str, snapshot: Snapshot) -> None:
        ends = [snapshot.answered_at, self.stated_until[part]]
        self.unclear_until = max([*ends, self.unclear_until] if self.unclear_until else ends)

    def _record(self, batch_id: str, fall: Fall, ref: str) -> None:
        """Keep the first fall of each kind of each leg."""
        key = (batch_id, fall.field, repr(fall.leg))
        self.regressions.setdefault(
            key,
            Regression(
                batch_id=batch_id, field=fall.field, before=fall.before, after=fall.after, leg=fall.leg, ref=ref
            ),
        )

    def _carry(self, before: Batch, after: Batch) -> None:
        """Let recorded falls name their leg as it stands now."""
        now = legs_carried(before, after)
        moved: dict[tuple[str, str, str], Regression] = {}
        for key, regression in self.regressions.items():
            leg = regression.leg
            if regression.batch_id == after.batch_id and leg is not None:
                moved_leg: Leg = now.get(leg, leg)
                moved[(key[0], key[1], repr(moved_leg))] = replace(regression, leg=moved_leg)
            else:
                moved[key] = regression
        self.regressions = moved


def _leaves_completed(before: Answer, after: Answer) -> bool:
    """An unknown word is no fall: it is shown as it is."""
    word = transaction_word(after.status)
    return transaction_word(before.status) == COMPLETED and word is not None and word != COMPLETED


def _filled_in(after: Answer, before: Answer) -> Answer:
    """The later answer; what it leaves out, the earlier one said."""
    return replace(
        after,
        intent=after.intent or before.intent,
        account=after.account or before.account,
        broker=after.broker or before.broker,
        created_at=after.created_at or before.created_at,
        expire_at=after.expire_at or before.expire_at,
        requested=after.requested or before.requested,
        purpose=after.purpose or before.purpose,
        iscid=after.iscid or before.iscid,
    )
