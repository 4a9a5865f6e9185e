"""`python -m simulator`: one process that plays the Gateway and a company's trading day."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from simulator.access import Access
from simulator.api import Api
from simulator.clock import MovingClock
from simulator.company import instruments_csv, orders_csv, orders_xlsx, replace_file, transactions_csv
from simulator.control import Control
from simulator.day import BadDayError, Day
from simulator.gate import Gate
from simulator.journal import Journal
from simulator.plan import Plan, plan_day
from simulator.player import Player, Poster, steps_of
from simulator.serving import Connection
from simulator.signing import Secrets
from simulator.timeline import Timeline
from simulator.world import world_of

HOST = "127.0.0.1"
DEFAULT_DATE = date(2026, 11, 18)  #: a Wednesday; the exchange trades on the two days after it
_JWT, _API = "SIMULATOR_JWT_SECRET", "SIMULATOR_API_SECRET"


class CannotStartError(Exception):
    """Why the simulator does not start, and what to do."""


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    """The command line, read."""
    parser = argparse.ArgumentParser(prog="python -m simulator", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port of API and control, on the loopback")
    parser.add_argument("--home", type=Path, required=True, help="folder for the files it writes")
    parser.add_argument("--clock", type=Path, required=True, help="file that tells the simulated instant")
    parser.add_argument("--webhook-url", required=True, help="where webhooks are posted")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same day")
    parser.add_argument("--transactions", type=int, default=200, help="how many transactions the day has")
    parser.add_argument("--date", type=date.fromisoformat, default=DEFAULT_DATE, help="the trade date")
    parser.add_argument("--withhold", type=share, default=0.0, help="share of webhooks never sent, 0 to 1")
    parser.add_argument(
        "--refuse-above", type=int, default=0, help="answer 429 above so many calls in any sliding second"
    )
    parser.add_argument("--people", type=int, default=0, help="so many people with holdings besides those who trade")
    parser.add_argument("--gateway", default="simulated", help="the gateway's name")
    return parser.parse_args(argv)


def share(text: str) -> float:
    """A share from 0 to 1. Raises `argparse.ArgumentTypeError`."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share: give a number from 0 to 1")
    return value


def secrets_from(environment: Mapping[str, str]) -> Secrets:
    """The two secrets. Raises `CannotStartError`."""
    jwt, api = environment.get(_JWT, ""), environment.get(_API, "")
    if not jwt or not api:
        raise CannotStartError(f"set {_JWT} and {_API} to two secrets")
    if jwt == api:
        raise CannotStartError(f"{_JWT} and {_API} are the same: make them two, or crossed keys would go unseen")
    return Secrets(jwt=jwt, api=api)


def files_at_hold(plan: Plan, home: Path, clock: MovingClock, step: str) -> None:
    """Write what the company would import at that hold."""
    replace_file(home / "transactions.csv", transactions_csv(plan.registrations(clock.instant)))
    if step == "evening":
        replace_file(home / "orders.csv", orders_csv(plan.lines))
        replace_file(home / "orders.xlsx", orders_xlsx(plan.lines, plan.day))


def assembled(options: argparse.Namespace, secrets: Secrets) -> tuple[Control, Player]:
    """All parts, put together: the clock set first of all, then the files of the start."""
    day, home = Day(options.date), options.home
    clock = MovingClock(options.clock, day.start)
    home.mkdir(parents=True, exist_ok=True)
    plan = plan_day(
        day,
        seed=options.seed,
        transactions=options.transactions,
        gateway=options.gateway,
        withheld=options.withhold,
    )
    replace_file(home / "instruments.csv", instruments_csv(day))
    replace_file(home / "truth.json", plan.truth_json())
    journal = Journal(home / "log.jsonl")
    world = world_of(plan, more_people=options.people)
    api = Api(
        plan.stories,
        gateway=plan.gateway,
        clock=clock,
        access=Access(secrets, since=day.start),
        journal=journal,
        gate=Gate(most=options.refuse_above),
        world=world,
    )
    player = Player(
        Timeline(plan.posts),
        steps_of([day]),
        poster=Poster(options.webhook_url),
        clock=clock,
        journal=journal,
        secrets=secrets,
        at_hold=lambda step: files_at_hold(plan, home, clock, step),
    )
    return Control(plan, api=api, player=player, clock=clock, journal=journal, home=home, world=world), player


async def serve(control: Control, port: int) -> None:
    """Answer until SIGTERM or SIGINT."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    connections: set[Connection] = set()
    server = await loop.create_server(lambda: Connection(control.answer, connections), HOST, port)
    await stop.wait()
    server.close()
    for connection in list(connections):
        connection.close()


def main(argv: Sequence[str]) -> int:
    """Run until told to stop; the exit code is 2 for a wrong call and 3 for a taken port."""
    options = arguments(argv)
    try:
        control, player = assembled(options, secrets_from(os.environ))
    except (CannotStartError, BadDayError, ValueError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 2
    player.start()
    try:
        asyncio.run(serve(control, options.port))
    except OSError as error:
        sys.stderr.write(
            f"simulator: cannot listen on {HOST}:{options.port}: {error.strerror}; choose another --port\n"
        )
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
