"""The chapter of orders: every plant alone, several on a line, several in a batch; judged in two ways."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sqlalchemy import Engine

from bench.corpus.combined import above_the_lines, in_one_batch, on_one_line
from bench.corpus.draw import Draw
from bench.corpus.pure import said_of
from bench.corpus.registry import CLEAN, PLANTS, of_kind
from bench.corpus.score import Score
from bench.corpus.stored import tell, unaccounted
from bench.corpus.story import Story

OTHER_SEEDS = 1000  #: what goes through the tables is drawn from seeds so much higher


def told(seed: int, repeats: int, batches: int) -> Iterator[Story]:
    """The corpus of a seed: every plant so many times, clean ones, then lines and batches with several."""
    draw = Draw(seed)
    for _ in range(repeats):
        for plant in PLANTS:
            yield from plant.story(draw).family
    yield from on_one_line(draw)
    yield from clean_days(draw, batches)
    yield from in_one_batch(draw, batches)
    yield from above_the_lines(draw, batches)


def clean_days(draw: Draw, count: int) -> Iterator[Story]:
    """So many transactions in which nothing may be found."""
    for _ in range(count):
        yield from draw.chance.choice(of_kind(CLEAN)).story(draw).family


def judged(seed: int, repeats: int, batches: int) -> Score:
    """The corpus by the rules alone."""
    return judge_all(told(seed, repeats, batches))


def judge_all(stories: Iterable[Story]) -> Score:
    """Every story by the rules alone."""
    score = Score()
    for story in stories:
        score.add(story, said_of(story))
    return score


def stored(engine: Engine, folder: Path, seed: int, repeats: int, batches: int) -> Score:
    """A corpus through the tables, in no order."""
    draw = Draw(seed + OTHER_SEEDS)
    chosen = [story for story in told(seed + OTHER_SEEDS, repeats, batches) if story.stored]
    draw.chance.shuffle(chosen)
    said = tell(engine, chosen, folder)
    score = Score(by_statement=said.by_statement)
    for story in chosen:
        score.add(story, said.said[story.transaction_id])
    score.unaccounted += unaccounted(engine, chosen)
    return score
