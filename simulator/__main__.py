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

from simulator.assembly import Place, assembled
from simulator.control import Control
from simulator.day import Day
from simulator.scenario import DEFAULT_DATE, Scenario, read_scenario
from simulator.serving import Connection
from simulator.signing import Secrets

HOST = "127.0.0.1"
_JWT, _API = "SIMULATOR_JWT_SECRET", "SIMULATOR_API_SECRET"
_NEXT = ("SIMULATOR_NEXT_JWT_SECRET", "SIMULATOR_NEXT_API_SECRET")


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
    parser.add_argument("--customers", type=int, default=0, help="so many people who import their holdings that day")
    parser.add_argument("--habits", action="store_true", help="people come of themselves to what the API made")
    parser.add_argument("--retries", choices=("at-once", "schedule"), default="at-once", help="when it posts again")
    parser.add_argument("--scenario", type=Path, help="a scenario file, instead of a drawn day")
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


def secrets_from(environment: Mapping[str, str], names: tuple[str, str] = (_JWT, _API)) -> Secrets:
    """The two secrets. Raises `CannotStartError`."""
    jwt, api = (environment.get(name, "") for name in names)
    if not jwt or not api:
        raise CannotStartError(f"set {names[0]} and {names[1]} to two secrets")
    if jwt == api:
        raise CannotStartError(
            f"{names[0]} and {names[1]} are the same: make them two, or crossed keys would go unseen"
        )
    return Secrets(jwt=jwt, api=api)


def scenario_of(options: argparse.Namespace) -> Scenario:
    """The scenario file, or a drawn day by the options. Raises `BadScenarioError`, `BadDayError`."""
    if options.scenario:
        return read_scenario(options.scenario)
    return Scenario(
        day=Day(options.date),
        until=options.date,
        seed=options.seed,
        transactions=options.transactions,
        withhold=options.withhold,
        people=options.people,
        customers=options.customers,
        habits=options.habits,
        refuse_above=options.refuse_above,
        scheduled=options.retries == "schedule",
    )


def place_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Place:
    """Where it runs. Raises `CannotStartError`."""
    following = any(environment.get(name) for name in _NEXT)
    return Place(
        home=options.home,
        clock=options.clock,
        webhook_url=options.webhook_url,
        gateway=options.gateway,
        secrets=secrets_from(environment),
        next_secrets=secrets_from(environment, _NEXT) if following else None,
    )


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
        control, player = assembled(scenario_of(options), place_of(options, os.environ))
    except (CannotStartError, ValueError) as error:
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
