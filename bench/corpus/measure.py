"""The whole corpus judged, by the rules alone and through the tables, and counted by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from sqlalchemy import Engine

from bench.corpus.combined import above_the_lines, in_one_batch, on_one_line
from bench.corpus.draw import Draw
from bench.corpus.pure import said_of
from bench.corpus.registry import PLANTS
from bench.corpus.score import Said, Score
from bench.corpus.stored import RULES, tell, unaccounted
from bench.corpus.story import Story
from bench.peers import DATACOMPY, datacompy
from bench.ticks import TICKS, Pair, pairs, policy_of, stories
from config.servers import start_postgres
from recon.names import CLASS_OF
from store.engine import connect
from store.migrate import migrate

LEAST_PRECISION = 0.999
TICK_SEED = 99_999_999  #: ids apart from those of any corpus in the same tables

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is told."""

    seeds: Sequence[int] = (1, 2, 3)
    repeats: int = 30  #: of each plant, judged by the rules alone
    batches: int = 1000  #: of several plants each, and as many with faults above their lines
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
    by_statement: int = 0
    tick_wrong: int = 0
    peers: dict[str, object] = field(default_factory=dict)

    @property
    def whole(self) -> Score:
        """All seeds, by both ways."""
        whole = Score()
        for score in (*self.pure.values(), *self.stored.values()):
            whole.plus(score)
        return whole

    def of_seed(self, seed: int) -> Score:
        """One seed, by both ways."""
        score = Score()
        score.plus(self.pure[seed])
        score.plus(self.stored[seed])
        return score

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
            for name, tally in sorted(self.of_seed(seed).by_kind.items()):
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
            "transactions": {
                "judged": sum(score.stories for score in self.pure.values()),
                "stored": sum(score.stories for score in self.stored.values()),
                "by_statement": self.by_statement,
            },
            "lines": whole.lines,
            "wrong": whole.wrong[:50],
            "size": asdict(self.size),
        }


def told(seed: int, repeats: int, batches: int) -> Iterator[Story]:
    """The corpus of a seed: every plant so many times, then lines and batches with several."""
    draw = Draw(seed)
    for _ in range(repeats):
        for plant in PLANTS:
            yield from plant.story(draw).family
    yield from on_one_line(draw)
    yield from in_one_batch(draw, batches)
    yield from above_the_lines(draw, batches)


def measure(size: Size, engine: Engine, folder: Path, *, say: Say) -> Figures:
    """Judge the corpus of every seed, in a database of its own; `folder` takes the files that are imported."""
    figures = Figures(size=size)
    for seed in size.seeds:
        figures.pure[seed] = judge_all(told(seed, size.repeats, size.batches))
        say(f"seed {seed}: {_line(figures.pure[seed])} by the rules alone")
        figures.stored[seed] = _store(figures, engine, folder, seed)
        say(f"seed {seed}: {_line(figures.stored[seed])} through the tables")
    prices = pairs(size.ticks, size.seeds[0])
    figures.tick_wrong = len(wrong_prices(prices, engine, folder))
    say(f"{size.ticks} pairs of prices one tick apart, or nearly: {figures.tick_wrong} wrong")
    figures.peers = {DATACOMPY: datacompy(prices)}
    return figures


def judge_all(stories: Iterator[Story]) -> Score:
    """Every story by the rules alone."""
    score = Score()
    for story in stories:
        score.add(story, said_of(story))
    return score


def _store(figures: Figures, engine: Engine, folder: Path, seed: int) -> Score:
    """A smaller corpus of the seed through the tables, in no order."""
    draw = Draw(seed + 1000)
    size = figures.size
    chosen = [story for story in told(seed + 1000, size.stored_repeats, size.stored_batches) if story.stored]
    draw.chance.shuffle(chosen)
    said = tell(engine, chosen, folder)
    figures.by_statement += said.by_statement
    score = Score()
    for story in chosen:
        score.add(story, said.said[story.transaction_id])
    score.unaccounted += unaccounted(engine, chosen)
    return score


def wrong_prices(prices: Sequence[Pair], engine: Engine, folder: Path) -> set[int]:
    """The numbers of the pairs that either way puts into another bucket than they belong in."""
    wrong: set[int] = set()
    draw = Draw(TICK_SEED)
    for tick in TICKS:
        of_tick = list(stories(draw, [pair for pair in prices if pair.tick == tick]))
        policy = policy_of(tick)
        said = tell(engine, [story for story, _ in of_tick], folder, replace(RULES, policy=policy))
        for story, by_order in of_tick:
            for found in (said_of(story, policy), said.said[story.transaction_id]):
                wrong |= _misplaced(found, by_order)
    return wrong


def _misplaced(said: Said, by_order: dict[str, Pair]) -> set[int]:
    return {pair.number for order_id, pair in by_order.items() if said.ours.get(order_id) != pair.bucket}


def _line(score: Score) -> str:
    total = score.total
    counts = f"planted {total.planted}, missed {total.missed}, invented {total.invented}"
    return f"{score.stories} transactions, {counts}, unaccounted {score.unaccounted}"


@contextmanager
def database(folder: Path) -> Iterator[Engine]:
    """A database of its own in that folder; its server ends with its use. Raises `ServerError`."""
    with ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        server = start_postgres(folder / "postgres")
        stack.callback(server.stop)
        engine = connect(server.url, application="tieout-bench")
        stack.callback(engine.dispose)
        migrate(engine)
        yield engine
