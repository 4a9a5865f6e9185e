"""Truth against what was said: recall and precision by kind, and lines that lie in no bucket or a wrong one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.corpus.story import Found, Row, Story

MATCHED, IN_TOLERANCE, PENDING, EXCLUDED = "matched", "matched-in-tolerance", "pending", "excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said of one story: its findings, and the bucket of each line of both sides."""

    found: list[Found]
    ours: dict[str, str]  #: by order id
    theirs: list[tuple[str | None, str]]  #: exchange order id and bucket


@dataclass(slots=True)
class Tally:
    """One kind of finding over many stories."""

    planted: int = 0
    found: int = 0  #: of the planted
    invented: int = 0

    @property
    def missed(self) -> int:
        """Planted and not found."""
        return self.planted - self.found

    @property
    def recall(self) -> float:
        """Of what was planted, the part that was found."""
        return self.found / self.planted if self.planted else 1.0

    @property
    def precision(self) -> float:
        """Of what was reported, the part that was planted."""
        reported = self.found + self.invented
        return self.found / reported if reported else 1.0

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        counts = {"planted": self.planted, "found": self.found, "missed": self.missed, "invented": self.invented}
        return {**counts, "recall": self.recall, "precision": self.precision}


@dataclass(slots=True)
class Score:
    """All kinds over all stories told so far."""

    stories: int = 0
    lines: int = 0
    unaccounted: int = 0  #: lines in no bucket, in two, or in one that their findings do not explain
    by_statement: int = 0  #: transactions that the one statement of the database matched whole
    by_kind: dict[str, Tally] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)  #: the stories that came out otherwise, in words

    def add(self, story: Story, said: Said) -> None:
        """Count one transaction; the lines of both sides must lie in the buckets that what is true explains."""
        self.lines += len(said.ours) + len(said.theirs)
        self.count(" + ".join(story.plants), story.truth, said.found, strangers(story, said))

    def count(self, title: str, truth: Sequence[Found], said: Sequence[Found], strange: Sequence[str] = ()) -> None:
        """Count one story of any kind: what is true of it, what was said, and what of it cannot be accounted for."""
        missed, invented = Counter(truth) - Counter(said), Counter(said) - Counter(truth)
        for found, number in Counter(truth).items():
            tally = self.by_kind.setdefault(found.name, Tally())
            tally.planted += number
            tally.found += number - missed[found]
        for found, number in invented.items():
            self.by_kind.setdefault(found.name, Tally()).invented += number
        self.stories += 1
        self.unaccounted += len(strange)
        if missed or invented or strange:
            self.wrong.append(_in_words(title, missed, invented, strange))

    def plus(self, other: Score) -> None:
        """Take in what another counted."""
        self.stories, self.lines = self.stories + other.stories, self.lines + other.lines
        self.unaccounted += other.unaccounted
        self.by_statement += other.by_statement
        self.wrong += other.wrong
        for name, tally in other.by_kind.items():
            mine = self.by_kind.setdefault(name, Tally())
            mine.planted, mine.found = mine.planted + tally.planted, mine.found + tally.found
            mine.invented += tally.invented

    @property
    def total(self) -> Tally:
        """All kinds together."""
        tallies = self.by_kind.values()
        return Tally(*(sum(getattr(t, name) for t in tallies) for name in ("planted", "found", "invented")))


def strangers(story: Story, said: Said) -> list[str]:
    """The lines that lie in no bucket, or in one that what is true of them does not explain."""
    about: defaultdict[str | None, list[Found]] = defaultdict(list)
    for found in story.truth:
        about[found.line].append(found)
    ours: defaultdict[str | None, list[str]] = defaultdict(list)
    for row in story.rows:
        ours[row.exchange_order_id].append(row.order_id)
    unnamed = [about[row.order_id] for row in story.rows if not row.exchange_order_id]
    strange = [
        f"{row.order_id} in {said.ours.get(row.order_id)}"
        for row in story.rows
        if not _lies_right(
            row, said.ours.get(row.order_id), about[story.bearers.get(row.order_id, row.order_id)], story
        )
    ]
    for theirs, bucket in said.theirs:
        may_be = (
            [about[order_id] for order_id in ours[theirs]] if theirs and ours[theirs] else [[], about[None], *unnamed]
        )
        may_be += [about[theirs]] if theirs and theirs in about else []
        if not any(_explained(bucket, findings, story) for findings in may_be):
            strange.append(f"their {theirs} in {bucket}")
    return strange


def _lies_right(row: Row, bucket: str | None, findings: Sequence[Found], story: Story) -> bool:
    """Whether a line of ours may lie there; one that names no transaction is left out of all comparing."""
    return bucket == EXCLUDED if not row.transaction_id else _explained(bucket, findings, story)


def _explained(bucket: str | None, findings: Sequence[Found], story: Story) -> bool:
    """Whether a line with those findings may lie there: a break before what is pending before a match."""
    breaks = {found.name for found in findings if found.state == "break"}
    if story.undecided:
        return bucket == PENDING
    if breaks:
        return bucket in breaks
    if any(found.state == "pending" for found in findings):
        return bucket == PENDING
    return bucket == (IN_TOLERANCE if any(found.name == "price-in-tol" for found in findings) else MATCHED)


def _in_words(title: str, missed: Counter[Found], invented: Counter[Found], strange: Sequence[str]) -> str:
    parts = [title]
    parts += [f"missed {_shown(found)}" for found in missed.elements()]
    parts += [f"invented {_shown(found)}" for found in invented.elements()]
    return "; ".join([*parts, *strange])


def _shown(found: Found) -> str:
    return f"{found.name} ({found.state}) of {found.line or 'batch or transaction'}"
