"""The proof about volume: a million lines on each side, then five, to show how the cost grows."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.match import LINES, ROUNDS, measured, sizes
from bench.proofs import Outcome
from bench.volume.figures import Figures

MORE = 5 * LINES


def match() -> Outcome:
    """The benchmark at its full size, which is what is promised; then one round of five times as many lines."""
    promised, grown = _measured(sizes(LINES), ROUNDS), _measured([MORE], 1)
    problems = [*promised.problems(speed=True), *grown.problems(speed=False)]
    return Outcome(not problems, [*promised.table(), "", *grown.table(), *problems])


def _measured(lines: Sequence[int], rounds: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="tieout-match-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL's own account must reach its data
        return measured(folder, lines, rounds=rounds, say=lambda line: print(line, flush=True))
