"""`python -m bench.follow`: whether following finds what no webhook told, within the limits, and after an outage."""

from __future__ import annotations

import json
import signal
import sys
import time
from dataclasses import dataclass
from datetime import timedelta

import click

from bench.following.day import WITHHOLD, DayFigures, play_day, told
from bench.following.limits import FAR_LIMIT, OURS, LimitFigures, OutageFigures, go_down, keep_to_limit
from bench.following.service import Service, StuckError, seconds, service
from config.server_errors import ServerError
from config.servers import remove_home
from config.settings import load_settings

FOUND, AWAY = 1, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large a day, how fine its clock, how many calls at the limit, how many open in the outage."""

    transactions: int = 5000
    step: timedelta = timedelta(minutes=1)
    limited: int = 400
    open: int = 500
    down_s: float = 20.0


SHORT = Size(transactions=200, step=timedelta(minutes=3), limited=80, open=60, down_s=8.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All three parts."""

    day: DayFigures
    limit: LimitFigures
    outage: OutageFigures

    def as_dict(self) -> dict[str, object]:
        """As the contract names them, and beside it what else was seen."""
        return {
            "transactions": self.day.transactions,
            "webhooks_withheld": self.day.withheld,
            "found": self.day.found,
            "over_limit": self.limit.refused + self.outage.refused,
            "calls_per_transaction": self.day.calls_per_transaction,
            "longest_s": seconds(self.day.longest),
            "watermark": str(self.day.watermark),
            "busiest_second": self.limit.busiest,
            "outage": {
                "open": self.outage.open,
                "lost": self.outage.lost,
                "breaker": self.outage.breaker,
                "furthest_from_turn": self.outage.furthest,
                "caught_up_s": self.outage.caught_up_s,
            },
        }

    def problems(self) -> list[str]:
        """What must not be."""
        return self.day.problems() + self.limit.problems() + self.outage.problems()

    def lines(self) -> list[str]:
        """The figures in words."""
        limit, outage = self.limit, self.outage
        return [
            *told(self.day),
            f"the far side refuses above {FAR_LIMIT} calls in any sliding second, ours is {OURS}",
            f"  {limit.calls} calls in {limit.took_s} s, a FLUSHALL in the middle: {limit.refused} refused",
            f"  busiest second {limit.busiest}",
            f"the far side is down with {outage.open} open: {outage.lost} lost, breaker {', '.join(outage.breaker)}",
            f"  {outage.turned_away} calls turned away; caught up in {outage.caught_up_s} s, {outage.refused} refused",
            f"  at most {outage.furthest} places from its turn, by the far side's log",
        ]


@click.command()
@click.option("--short", is_flag=True, help="A small day and small loads, to see that it works.")
@click.option("--seed", default=1, show_default=True, help="Which day, and which webhooks are withheld.")
@click.option("--transactions", type=click.IntRange(60), help="How large a day.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def follow(*, short: bool, seed: int, transactions: int | None, as_json: bool) -> None:
    """Play a day with webhooks withheld, keep to a limit, and come through an outage.

    Exit status 1: something was not found, a limit was exceeded, or the order of catching up was not kept.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    size, folder = SHORT if short else Size(), load_settings().home / "bench-follow"
    try:
        with service(
            folder, transactions=transactions or size.transactions, seed=seed, withhold=WITHHOLD, say=_say
        ) as own:
            figures = _measure(own, size)
    except (StuckError, ServerError) as error:
        _say(str(error))
        sys.exit(AWAY)
    remove_home(folder)
    click.echo(json.dumps(figures.as_dict()) if as_json else "\n".join(figures.lines()))
    problems = figures.problems()
    for problem in problems:
        _say(f"must not be: {problem}")
    sys.exit(FOUND if problems else 0)


def _measure(own: Service, size: Size) -> Figures:
    begun = time.monotonic()
    day = play_day(own, step=size.step)
    own.say(f"the day took {time.monotonic() - begun:.0f} s\n" + "\n".join(told(day)))
    limit = keep_to_limit(own, count=size.limited)
    own.say(f"at the limit: {limit}")
    outage = go_down(own, count=size.open, down_s=size.down_s)
    return Figures(day=day, limit=limit, outage=outage)


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    follow()
