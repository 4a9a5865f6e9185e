"""The whole corpus judged, chapter by chapter, by the rules alone and through the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from bench.corpus import held, notes, orders
from bench.corpus.draw import Draw
from bench.corpus.figures import Figures, Size
from bench.corpus.pure import said_of
from bench.corpus.score import Said, Score
from bench.corpus.stored import RULES, tell
from bench.peers import DATACOMPY, datacompy
from bench.ticks import TICKS, Pair, pairs, policy_of, stories
from config.servers import start_postgres
from store.engine import connect
from store.migrate import migrate

TICK_SEED = 99_999_999  #: ids apart from those of any corpus in the same tables

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """What is told of one subject: each way from a seed, so many of each plant and so many with several."""

    name: str
    judged: Callable[[int, int, int], Score]  #: seed, repeats, batches
    stored: Callable[[Engine, Path, int, int, int], Score]


#: A further subject is one more entry.
CHAPTERS: Sequence[Chapter] = (
    Chapter(name="orders", judged=orders.judged, stored=orders.stored),
    Chapter(name="notes", judged=notes.judged, stored=notes.stored),
    Chapter(name="holdings", judged=held.judged, stored=held.stored),
)


def measure(size: Size, engine: Engine, folder: Path, *, say: Say) -> Figures:
    """Judge the corpus of every seed, in a database of its own; `folder` takes the files that are imported."""
    figures = Figures(size=size)
    for seed in size.seeds:
        figures.pure[seed], figures.stored[seed] = Score(), Score()
        for chapter in CHAPTERS:
            score = chapter.judged(seed, size.repeats, size.batches)
            say(f"seed {seed}, {chapter.name}: {_line(score)} by the rules alone")
            figures.pure[seed].plus(score)
            score = chapter.stored(engine, folder, seed, size.stored_repeats, size.stored_batches)
            say(f"seed {seed}, {chapter.name}: {_line(score)} through the tables")
            figures.stored[seed].plus(score)
    prices = pairs(size.ticks, size.seeds[0])
    figures.tick_wrong = len(wrong_prices(prices, engine, folder))
    say(f"{size.ticks} pairs of prices one tick apart, or nearly: {figures.tick_wrong} wrong")
    figures.peers = {DATACOMPY: datacompy(prices)}
    return figures


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
    return f"{score.stories} stories, {counts}, unaccounted {score.unaccounted}"


@contextmanager
def database(folder: Path) -> Iterator[Engine]:
    """An empty database on a server in that folder; both end with its use. Raises `ServerError`."""
    with ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        server = start_postgres(folder / "postgres")
        stack.callback(server.stop)
        name = f"verdicts_{uuid4().hex}"
        admin = connect(server.url, application="tieout-bench").execution_options(isolation_level="AUTOCOMMIT")
        stack.callback(admin.dispose)
        with admin.connect() as connection:
            connection.execute(text(f"create database {name}"))
        engine = connect(make_url(server.url).set(database=name).render_as_string(hide_password=False))
        stack.callback(engine.dispose)
        migrate(engine)
        yield engine
