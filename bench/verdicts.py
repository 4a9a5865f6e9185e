"""`python -m bench.verdicts`: whether every planted break is found, and nothing else."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import click

from bench.corpus.figures import SHORT, Figures, Size
from bench.corpus.measure import database, measure
from config.server_errors import ServerError
from config.servers import remove_home
from config.settings import load_settings

FOUND, AWAY = 1, 3
SHOWN = 20  #: stories that came out wrong, told in words
ROW = "{:<20} {:>8} {:>8} {:>7} {:>9} {:>9} {:>10}"


@click.command()
@click.option("--short", is_flag=True, help="One seed and few of each kind, to see that it works.")
@click.option("--seed", type=click.IntRange(min=0), help="Only this seed; 1, 2 and 3 by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verdicts(*, short: bool, seed: int | None, as_json: bool) -> None:
    """Judge days made up from a seed in which every kind of break is planted, and count what is found.

    Exit status 1: a break was missed or invented, a line is unaccounted for, or a price was judged wrong.
    """
    size, folder = SHORT if short else Size(), load_settings().home / "bench"
    size = size if seed is None else replace(size, seeds=(seed,))
    try:
        with database(folder) as engine:
            figures = measure(size, engine, folder, say=_say)
    except ServerError as error:
        _say(str(error))
        sys.exit(AWAY)
    remove_home(folder)
    click.echo(json.dumps(figures.as_dict()) if as_json else "\n".join(table(figures)))
    for wrong in figures.whole.wrong[:SHOWN]:
        _say(f"came out otherwise: {wrong}")
    problems = figures.problems()
    for problem in problems:
        _say(f"must not be: {problem}")
    sys.exit(FOUND if problems else 0)


def table(figures: Figures) -> list[str]:
    """The figures as lines for people."""
    whole = figures.whole
    lines = [ROW.format("", "planted", "found", "missed", "invented", "recall %", "precision %")]
    for name, tally in sorted(whole.by_kind.items()):
        counts = (tally.planted, tally.found, tally.missed, tally.invented)
        lines.append(ROW.format(name, *counts, _percent(tally.recall), _percent(tally.precision)))
    judged, stored = (sum(score.stories for score in way.values()) for way in (figures.pure, figures.stored))
    by_statement = f"{whole.by_statement} of them matched whole by the statement"
    return [
        *lines,
        "",
        f"{judged} stories by the rules alone, {stored} through the tables, {by_statement}",
        f"{whole.lines} lines of both sides",
        f"unaccounted {whole.unaccounted}",
        f"{figures.size.ticks} pairs of prices at a tolerance of one tick: {figures.tick_wrong} wrong",
        *(f"{name} on the same pairs: {_peer(said)}" for name, said in figures.peers.items()),
        f"not planted: {', '.join(figures.not_planted) or 'none'}",
    ]


def _peer(said: object) -> str:
    if not isinstance(said, dict) or "error" in said:
        return str(said["error"] if isinstance(said, dict) else said)
    return f"{said['wrong']} wrong (version {said['version']})"


def _percent(part: float) -> str:
    return f"{part * 100:.2f}"


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    verdicts()
