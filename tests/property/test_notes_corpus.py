"""The corpus of contract notes: every planted difference gives exactly its closure, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from bench.corpus.draw import Draw
from bench.corpus.notes import judged, stored
from bench.corpus.papers import PAPERS, tales
from bench.corpus.registry import CLEAN, of_kind
from bench.corpus.score import Score
from bench.corpus.stored import tell

NAMES = {"note-missing", "note-diff", "charge", "net"}


def came_out(score: Score) -> tuple[list[str], int, set[str]]:
    """What came out otherwise, lines in no bucket, and the names that were met."""
    return score.wrong, score.unaccounted, set(score.by_kind)


@pytest.mark.parametrize("seed", [21, 22, 23])
def test_every_paper_gives_exactly_its_closure(seed: int) -> None:
    """By the rules alone, each variant four times."""
    assert came_out(judged(seed, 4, 1)) == ([], 0, NAMES)


def test_every_paper_gives_its_closure_through_the_tables(engine: Engine, tmp_path: Path) -> None:
    """Imported after the orders tied out: what a note says makes them stale, and they are judged again."""
    assert came_out(stored(engine, tmp_path, 24, 1, 1)) == ([], 0, NAMES)


def test_impossible_prices_are_found_by_stored_ticks_and_prices(engine: Engine, tmp_path: Path) -> None:
    """The tables know the tick, the low and the high; each story of the kind comes out as its truth says."""
    draw = Draw(26)
    told = [one for _ in range(3) for plant in of_kind("price-implausible") for one in plant.story(draw).family]
    said = tell(engine, told, tmp_path).said
    score = Score()
    for story in told:
        score.add(story, said[story.transaction_id])

    assert came_out(score)[:2] == ([], 0)
    assert score.by_kind["price-implausible"].found >= len(told)


def test_every_name_of_notes_is_planted_beside_clean_ones() -> None:
    """And a paper is the same whenever its seed is drawn."""
    assert {kind for kind, _, _ in PAPERS} == NAMES | {CLEAN}
    assert [repr(tale) for tale in tales(Draw(25), 1)] == [repr(tale) for tale in tales(Draw(25), 1)]
