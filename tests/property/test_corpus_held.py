"""The corpus of holdings at small size: every planted cause is found with its shares, and nothing else."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine

from bench.corpus.held import judged, stored
from bench.corpus.held_plots import ALONE, CAUSES
from recon.names import CLASS_OF


def test_every_cause_is_found_by_the_rules_and_nothing_else() -> None:
    """Alone and with others; each kind is planted."""
    score = judged(7, 2, 100)
    assert score.wrong == []
    assert score.stories == 2 * len(CAUSES | ALONE) + 100
    kinds = list(CLASS_OF)
    assert score.by_kind.keys() == {*kinds[kinds.index("unsettled-t1") :]}


def test_the_tables_say_the_same(engine: Engine, tmp_path: Path) -> None:
    """Imported, answered, reconciled and read; both sides add up."""
    score = stored(engine, tmp_path, 7, 1, 20)
    assert (score.wrong, score.unaccounted) == ([], 0)
