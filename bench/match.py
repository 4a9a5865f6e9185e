"""`python -m bench.match`: what it costs to judge a million lines on each side, and one transaction among them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bench.volume.figures import Figures
from bench.volume.place import Say, place
from bench.volume.rounds import RunFailedError, measure
from config.server_errors import ServerError
from config.servers import remove_home
from config.settings import load_settings

FOUND, AWAY = 1, 3
LINES, FEWEST = 1_000_000, 10_000
ROUNDS, SHORT_ROUNDS = 5, 2


@click.command()
@click.option("--short", is_flag=True, help="Few lines, to see that it works; speed is not judged.")
@click.option("--lines", type=click.IntRange(min=100), help="On each side; 1,000,000 by default.")
@click.option("--rounds", type=click.IntRange(min=1), help="Alternating rounds, 5 by default.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes that judge; as many as there are cores.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def match(*, short: bool, lines: int | None, rounds: int | None, workers: int | None, as_json: bool) -> None:
    """Measure a full run over unjudged lines, beside one join that only counts them.

    Exit status 1: a line was judged otherwise than the rules judge it, or it is slower than promised.
    """
    most = lines or (FEWEST if short else LINES)
    times = rounds or (SHORT_ROUNDS if short else ROUNDS)
    folder = load_settings().home / "bench"
    try:
        figures = measured(folder, sizes(most), rounds=times, workers=workers, say=_say)
    except (ServerError, RunFailedError) as error:
        _say(str(error))
        sys.exit(AWAY)
    remove_home(folder)
    click.echo(json.dumps(figures.as_dict()) if as_json else "\n".join(figures.table()))
    problems = figures.problems(speed=not short)
    for problem in problems:
        _say(f"must not be: {problem}")
    sys.exit(FOUND if problems else 0)


def measured(folder: Path, lines: Sequence[int], *, rounds: int, workers: int | None = None, say: Say) -> Figures:
    """Measure these sizes, the last with datacompy beside it. Raises `ServerError`, `RunFailedError`."""
    processes = workers or os.cpu_count() or 1
    with place(folder, say) as found:
        return Figures([
            measure(found, size, rounds=rounds, workers=processes, peer=size == lines[-1], say=say) for size in lines
        ])  # fmt: skip


def sizes(most: int) -> list[int]:
    """Ten thousand, ten times as many, and so on; then the most."""
    found, size = [], FEWEST if most >= FEWEST else most // 10
    while size < most:
        found.append(size)
        size *= 10
    return [*found, most]


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    match()
