"""`tieout simulate`: the Gateway's stand-in by itself, for a service started another way."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from cli.processes import python
from cli.show import AWAY, Failure, stderr
from cli.simulated import GATEWAY, ORDERS_PATH, keys_in
from config.leash import Leash
from config.settings import load_settings

LEAVE_S = 10.0

EPILOG = """
\b
Examples:
  tieout simulate                            into an edge at the usual port
  tieout simulate --scenario simulator/scenarios/overnight.toml
  tieout simulate --seed 7 --transactions 500 --webhook-url http://127.0.0.1:9000/webhooks/simulated
"""


@click.command(epilog=EPILOG)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same day.")
@click.option("--transactions", default=200, show_default=True, type=click.IntRange(1), help="How large a day.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="The trade date; default 2026-11-18.")
@click.option(
    "--scenario",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Play this scenario file instead of a drawn day; docs/simulator.md says what it may hold.",
)
@click.option("--webhook-url", help="Where webhooks are posted; default the edge of this installation.")
@click.option("--port", type=int, help="Port of its API and control; default TIEOUT_SIMULATOR_PORT.")
@click.option("--home", type=click.Path(path_type=Path), help="Folder for its files; default in TIEOUT_HOME.")
def simulate(
    *,
    seed: int,
    transactions: int,
    day: datetime | None,
    scenario: Path | None,
    webhook_url: str | None,
    port: int | None,
    home: Path | None,
) -> None:
    """Run the Gateway's stand-in; it plays a trading day, or a scenario, when told to. Ctrl-C stops it."""
    settings = load_settings()
    folder = home or settings.home / "simulator"
    port = port or settings.simulator_port
    webhook_url = webhook_url or f"http://127.0.0.1:{settings.edge_port}/webhooks/{GATEWAY}"
    clock = settings.clock_file or folder / "clock"
    options = {
        "--port": str(port),
        "--home": str(folder),
        "--clock": str(clock),
        "--webhook-url": webhook_url,
        "--seed": str(seed),
        "--transactions": str(transactions),
        "--gateway": GATEWAY,
        **({"--date": f"{day:%Y-%m-%d}"} if day else {}),
        **({"--scenario": str(scenario)} if scenario else {}),
    }
    stderr().print(_how_to_use(folder, clock, port), soft_wrap=True)
    _run(options, folder)


def _how_to_use(folder: Path, clock: Path, port: int) -> str:
    """Which settings make a service serve this gateway. The secrets stay in their file."""
    url = f"http://127.0.0.1:{port}"
    return (
        f"The simulated gateway is at {url}; open it to play the day.\n"
        f"A service serves it with TIEOUT_SIMULATED=1 TIEOUT_GATEWAY_NAME={GATEWAY} TIEOUT_GATEWAY_URL={url}\n"
        f"TIEOUT_GATEWAY_ORDERS_PATH={ORDERS_PATH} TIEOUT_CLOCK_FILE={clock} and the two secrets in\n"
        f"{folder / 'keys.json'} as TIEOUT_GATEWAY_SECRETS=sim1:(jwt) and TIEOUT_GATEWAY_API_SECRETS=sim1:(api)."
    )


def _run(options: Mapping[str, str], folder: Path) -> None:
    """Run it as a child until one of both is told to stop; a failure of its own becomes ours."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    argv = python("-m", "simulator", *(word for pair in options.items() for word in pair))
    environment = {**os.environ, **keys_in(folder).of_simulator()}  # noqa: TID251 a child gets what we got
    with Leash() as leash:
        child = subprocess.Popen(argv, env=environment, start_new_session=True)  # noqa: S603 our own program
        leash.hold(child.pid)
        code = _ended(child)
        leash.release(child.pid)
    if code:
        raise Failure(code if code > 0 else AWAY, f"the simulator ended with {code}: its own words are above")


def _ended(child: subprocess.Popen[bytes]) -> int:
    try:
        return child.wait()
    except KeyboardInterrupt:
        child.terminate()
        return child.wait(LEAVE_S)
