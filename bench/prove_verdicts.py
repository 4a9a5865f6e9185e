"""The proof that every planted break is found and nothing else; its figures go to docs/verdicts.md, too."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.corpus import PLANTS
from bench.corpus.figures import Figures, Size
from bench.corpus.held_plots import ALONE, CAUSES
from bench.corpus.measure import database, measure
from bench.corpus.papers import PAPERS
from bench.proofs import Outcome
from bench.verdicts import table
from recon.names import CLASS_OF

PAGE = Path("docs/verdicts.md")
HEADING = "## Figures"


def verdicts() -> Outcome:
    """The corpus at full size, three seeds."""
    with tempfile.TemporaryDirectory(prefix="tieout-verdicts-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # PostgreSQL's own account must reach its data
        with database(folder) as engine:
            figures = measure(Size(), engine, folder, say=lambda line: print(line, flush=True))
    problems = figures.problems()
    write(figures)
    return Outcome(not problems, [*table(figures), *problems])


def write(figures: Figures, page: Path = PAGE) -> None:
    """Put the figures at the end of the page, over those of the last time."""
    text = page.read_text().partition(HEADING)[0].rstrip()
    page.write_text("\n".join([text, "", HEADING, "", *_section(figures)]) + "\n")


def _section(figures: Figures) -> Iterator[str]:
    when = datetime.now(UTC).date().isoformat()
    whole, size = figures.whole, figures.size
    seeds = ", ".join(map(str, size.seeds))
    yield f"Measured {when} by `make prove`, seeds {seeds}: {whole.stories} stories, {whole.lines} lines of both sides."
    yield f"Unaccounted for: {whole.unaccounted}."
    yield f"Prices at a tolerance of one tick: {figures.tick_wrong} of {size.ticks} pairs judged wrong."
    yield from (f"{name.capitalize()} on the same pairs: {_peer(said)}." for name, said in figures.peers.items())
    yield from ("", *_kinds(figures))
    if figures.not_planted:
        yield from ("", f"Not planted: {', '.join(figures.not_planted)}.")


def _kinds(figures: Figures) -> Sequence[str]:
    """One row a kind, in the order of docs/breaks.md; one that comes with plants of other names has no variant."""
    whole = figures.whole
    head = ["| name | variants | planted | found | invented | recall % | precision % |", "| --- " + "| ---: " * 6 + "|"]
    variants = Counter([*(plant.kind for plant in PLANTS), *(kind for kind, *_ in PAPERS), *CAUSES, *ALONE])
    rows = [
        f"| {name} | {variants[name] or '–'} | {tally.planted} | {tally.found} | {tally.invented} "
        f"| {tally.recall * 100:.2f} | {tally.precision * 100:.2f} |"
        for name in CLASS_OF
        if (tally := whole.by_kind.get(name))
    ]
    return [*head, *rows]


def _peer(said: object) -> str:
    if not isinstance(said, dict) or "error" in said:
        return "not installed, so not measured"
    return f"{said['wrong']} wrong (version {said['version']}, Polars, Decimal columns, one tick as `abs_tol`)"
