"""What came out of the whole corpus, and what of it must not be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from bench.corpus.score import Score
from recon.names import CLASS_OF

LEAST_PRECISION = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is told."""

    seeds: Sequence[int] = (1, 2, 3)
    repeats: int = 30  #: of each plant, judged by the rules alone
    batches: int = 1000  #: of several plants each, as many with faults above their lines, as many clean ones
    stored_repeats: int = 2  #: of each plant, through the tables
    stored_batches: int = 100
    ticks: int = 15_000


SHORT = Size(seeds=(1,), repeats=2, batches=50, stored_repeats=1, stored_batches=20, ticks=900)


@dataclass(slots=True)
class Figures:
    """What came out."""

    size: Size
    pure: dict[int, Score] = field(default_factory=dict)  #: by seed
    stored: dict[int, Score] = field(default_factory=dict)
    tick_wrong: int = 0
    peers: Mapping[str, object] = field(default_factory=dict)

    @property
    def whole(self) -> Score:
        """All seeds, by both ways."""
        return _sum((*self.pure.values(), *self.stored.values()))

    @property
    def not_planted(self) -> list[str]:
        """The names of findings of which the corpus holds none."""
        return [name for name in CLASS_OF if name not in self.whole.by_kind]

    def problems(self) -> list[str]:
        """What must not be."""
        whole = self.whole
        found = [(whole.unaccounted > 0, f"{whole.unaccounted} lines are unaccounted for")]
        found.append((self.tick_wrong > 0, f"{self.tick_wrong} of {self.size.ticks} pairs of prices judged wrong"))
        for seed in self.pure:
            for name, tally in sorted(_sum((self.pure[seed], self.stored[seed])).by_kind.items()):
                missed = f"seed {seed}: {tally.missed} {name} missed of {tally.planted}"
                found.append((tally.missed > 0, missed))
                invented = f"seed {seed}: {tally.invented} {name} invented beside {tally.found}"
                found.append((tally.precision < LEAST_PRECISION, invented))
        return [message for wrong, message in found if wrong]

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        whole = self.whole
        return {
            "recall": whole.total.recall,
            "precision": whole.total.precision,
            "tick_pairs": self.size.ticks,
            "tick_wrong": self.tick_wrong,
            "unaccounted": whole.unaccounted,
            "peers": self.peers,
            "by_break": {name: whole.by_kind[name].as_dict() for name in CLASS_OF if name in whole.by_kind},
            "not_planted": self.not_planted,
            "stories": {
                "judged": sum(score.stories for score in self.pure.values()),
                "stored": sum(score.stories for score in self.stored.values()),
                "by_statement": whole.by_statement,
            },
            "lines": whole.lines,
            "wrong": whole.wrong[:50],
            "size": asdict(self.size),
        }


def _sum(scores: Sequence[Score]) -> Score:
    whole = Score()
    for score in scores:
        whole.plus(score)
    return whole
