"""`python -m bench.ingest`: the acknowledgement path in figures."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import click

from bench.load import LoadError
from bench.rounds import BARE, SHORT, SINGLE, Counted, Figures, Size, measure
from bench.targets import EDGE, TargetError
from config.server_errors import ServerError
from config.servers import remove_home
from config.settings import load_settings

FOUND, AWAY = 1, 3
ROW = "{:<20} {:>10} {:>9} {:>9} {:>8} {:>8}"


@click.command()
@click.option("--short", is_flag=True, help="Small rounds, to see that it works; speed is not judged.")
@click.option("--rounds", type=click.IntRange(min=1), help="Alternating rounds, 5 by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def ingest(*, short: bool, rounds: int | None, as_json: bool) -> None:
    """Measure how fast the edge takes webhooks, beside a bare route on the same server.

    Exit status 1: an acknowledged webhook is not stored, or it is slower than promised.
    """
    size, folder = SHORT if short else Size(), load_settings().home / "bench"
    try:
        figures = measure(replace(size, rounds=rounds or size.rounds), folder, say=_say)
    except (TargetError, LoadError, ServerError) as error:
        _say(str(error))
        sys.exit(AWAY)
    remove_home(folder)
    click.echo(json.dumps(figures.as_dict()) if as_json else _table(figures))
    problems = figures.problems(speed=not short)
    for problem in problems:
        _say(f"must not be: {problem}")
    sys.exit(FOUND if problems else 0)


def _say(text: str) -> None:
    click.echo(text, err=True)


def _groups(edge: Counted) -> str:
    groups = f"{edge.groups} groups of {edge.rows / max(1, edge.groups):.1f} rows"
    return f"{groups} by {edge.statements} statements; the database counted {edge.commits} commits"


def _table(figures: Figures) -> str:
    edge = figures.edge
    lines = [ROW.format("", "answers/s", "least", "most", "p50 ms", "p99 ms")]
    for name, found in figures.by_target().items():
        lines.append(ROW.format(name, found.rate, found.least, found.most, found.p50_ms, found.p99_ms))
    return "\n".join(
        [
            *lines,
            "",
            f"edge over bare {figures.ratio(EDGE, BARE):.2f}, over single commits {figures.ratio(EDGE, SINGLE):.2f}",
            _groups(edge),
            f"{len(figures.acknowledged)} events acknowledged, {figures.missing} of them not stored",
        ]
    )


if __name__ == "__main__":
    ingest()
