"""`tieout up`: everything at once; without Gateway keys, with a simulated day."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import Engine

from cli import homes, service
from cli.day import print_day
from cli.processes import Processes
from cli.rehearsal import Rehearsal
from cli.show import FOUND, WRONG_CALL, Failure, as_json, stderr, stdout
from cli.simulated import GATEWAY, ORDERS_PATH, Simulator, Truth, compared, keys_in
from config.clock import clock_from
from config.embedded import free_port
from config.leash import Leash
from config.servers import Servers, open_servers, remove_home
from config.settings import Settings, adopt, load_settings
from store.engine import connect
from store.holding_days import stated_of_holdings
from store.life import signs
from store.migrate import migrate
from store.progress import stated_findings
from tieout.desk.day import as_json as day_as_json
from tieout.desk.day import day as day_of

TEND_EVERY_S = 1.0
CALLS_PER_S = 5000  #: the simulator is ours: a day is played as fast as it is settled
ASK_PAUSE_S = 2  #: likewise

EPILOG = """
\b
Examples:
  tieout up                       serve your gateway, or play a simulated day and stay up
  tieout up --once                play a simulated day, print how it ties out, end
  tieout up --once --json         the same for machines: the last line is one JSON object
  tieout up --once --scenario simulator/scenarios/overnight.toml
  tieout up --last                look at the last --once day again
"""


@click.command(epilog=EPILOG)
@click.option("--once", is_flag=True, help="Play one simulated day and end: 0 all found, 1 something was not.")
@click.option("--last", is_flag=True, help="Show the last --once day in the console.")
@click.option("--json", "as_json_", is_flag=True, help="With --once: end with one line of JSON.")
@click.option("--seed", default=1, show_default=True, help="Which simulated day.")
@click.option("--transactions", default=2000, show_default=True, type=click.IntRange(1), help="How large a day.")
@click.option(
    "--scenario",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Play this scenario instead of a drawn day; docs/simulator.md says what it may hold.",
)
@click.option("--simulate", is_flag=True, help="Play the simulator into your own servers, book `test`.")
def up(
    *, once: bool, last: bool, as_json_: bool, seed: int, transactions: int, scenario: Path | None, simulate: bool
) -> None:
    """Start the servers, the edge, the worker, the schedule and the console; Ctrl-C stops all."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    settings = load_settings()
    size = Size(seed=seed, transactions=transactions, scenario=scenario)
    try:
        if last:
            show_last(settings)
        elif once:
            play_once(settings, size, for_machines=as_json_)
        elif settings.gateways() and not simulate and not scenario:
            serve(settings)
        else:
            rehearse(settings, size, forced=simulate)
    except KeyboardInterrupt:
        say("stopped")
        if once:
            raise SystemExit(130) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Which simulated day, and how large."""

    seed: int
    transactions: int
    scenario: Path | None = None

    @property
    def customers(self) -> int:
        """How many people import their holdings: few beside those who trade, yet each plot of theirs occurs."""
        return max(12, self.transactions // 40)


def say(line: str) -> None:
    """One remark to whoever watches."""
    stderr().print(line)


def serve(settings: Settings) -> None:
    """Serve the user's own gateway until interrupted."""
    service.check_ports(settings)
    with _running(settings, {}) as (engine, processes, env):
        _start_service(settings, engine, processes, env)
        names = ", ".join(g.name for g in settings.gateways())
        say(f"taking webhooks for {names} on http://{settings.edge_host}:{settings.edge_port}/webhooks/<gateway>")
        say(f"console: http://127.0.0.1:{settings.console_port}/")
        _stay(processes)


def play_once(settings: Settings, size: Size, *, for_machines: bool) -> None:
    """Play one day in a fresh home and end with what it found."""
    _refuse_own_servers(settings)
    home = settings.home / "once"
    remove_home(home)
    ports = {f"TIEOUT_{name}_PORT": str(free_port()) for name in ("EDGE", "CONSOLE", "SIMULATOR")}
    with _rehearsed(settings, home, size, ports) as (engine, rehearsed, _, truth):
        failed = _report(engine, rehearsed, truth, for_machines=for_machines)
    say('\nevery difference explained: make run ARGS="--last"')
    if failed:
        raise SystemExit(FOUND)


def rehearse(settings: Settings, size: Size, *, forced: bool) -> None:
    """Play one day in a fresh home, then stay up until interrupted."""
    if not forced:
        _refuse_own_servers(settings)
    service.check_ports(settings)
    home = settings.home / "rehearsal"
    remove_home(home)
    with _rehearsed(settings, home, size, {}) as (engine, rehearsed, processes, truth):
        _report(engine, rehearsed, truth, for_machines=False)
        say(f"\nevery difference explained: http://127.0.0.1:{rehearsed.console_port}/breaks?date={truth.trade_date}")
        _stay(processes)


def show_last(settings: Settings) -> None:
    """The console over the last --once day, its clock standing where it ended."""
    home = settings.home / "once"
    if not (home / "simulator" / "truth.json").exists():
        raise Failure(WRONG_CALL, 'there is no last day yet: make run ARGS="--once"')
    service.check_ports(settings)
    looking_back = {**_rehearsal_env(settings, home, {}), "TIEOUT_LOOKING_BACK": "true"}
    with _running(settings, looking_back) as (_, processes, env):
        processes.start(service.console(env))
        service.wait_for(f"http://127.0.0.1:{settings.console_port}/livez", "console", processes)
        say(f"console: http://127.0.0.1:{settings.console_port}/")
        _stay(processes)


@contextmanager
def _rehearsed(
    settings: Settings, home: Path, size: Size, ports: dict[str, str]
) -> Iterator[tuple[Engine, Settings, Processes, Truth]]:
    asked = _rehearsal_env(settings, home, ports)
    homes.keep(home, asked)
    with _running(settings, asked) as (engine, processes, env):
        rehearsed = load_settings()
        folder = home / "simulator"
        _start_simulator(rehearsed, processes, env, folder, size)
        _start_service(rehearsed, engine, processes, env)
        rehearsal = Rehearsal(
            settings=rehearsed,
            engine=engine,
            clock=clock_from(rehearsed.clock_file),
            simulator=Simulator(f"http://127.0.0.1:{rehearsed.simulator_port}"),
            folder=folder,
            processes=processes,
            say=say,
        )
        yield engine, rehearsed, processes, rehearsal.play()


@contextmanager
def _running(settings: Settings, env: dict[str, str]) -> Iterator[tuple[Engine, Processes, dict[str, str]]]:
    """Servers up and migrated, nothing started yet; all of it ended at the end."""
    own = adopt(env) if env else settings
    with ExitStack() as stack:
        servers = stack.enter_context(open_servers(own))
        env = {**env, **_server_env(own, servers)}
        engine = connect(servers.database_url, application="tieout-up")
        stack.callback(engine.dispose)
        migrate(engine)
        processes = Processes(own.home / "logs", stack.enter_context(Leash()), say)
        stack.callback(processes.stop)
        yield engine, processes, env


def _start_service(settings: Settings, engine: Engine, processes: Processes, env: dict[str, str]) -> None:
    say("starting the edge, the worker, the schedule and the console")
    for program in (service.edge(env), service.worker(env), service.beat(env), service.console(env)):
        processes.start(program)
    service.wait_for(f"http://127.0.0.1:{settings.edge_port}/readyz", "edge", processes)
    service.wait_for(f"http://127.0.0.1:{settings.console_port}/livez", "console", processes)
    service.wait_until(lambda: _worker_is_alive(engine), "worker", processes)


def _start_simulator(settings: Settings, processes: Processes, env: dict[str, str], folder: Path, size: Size) -> None:
    assert settings.clock_file is not None  # set by _rehearsal_env
    options = {
        "port": str(settings.simulator_port),
        "webhook-url": f"http://127.0.0.1:{settings.edge_port}/webhooks/{GATEWAY}",
        "gateway": GATEWAY,
        "seed": str(size.seed),
        "transactions": str(size.transactions),
        **({"scenario": str(size.scenario.resolve())} if size.scenario else {"customers": str(size.customers)}),
    }
    keys = keys_in(folder).of_simulator()
    processes.start(service.simulator({**env, **keys}, folder=folder, clock=settings.clock_file, options=options))
    service.wait_for(f"http://127.0.0.1:{settings.simulator_port}/control/status", "simulator", processes)


def _rehearsal_env(settings: Settings, home: Path, ports: dict[str, str]) -> dict[str, str]:
    home.mkdir(parents=True, exist_ok=True)
    port = ports.get("TIEOUT_SIMULATOR_PORT", str(settings.simulator_port))
    return {
        "TIEOUT_HOME": str(home.resolve()),
        "TIEOUT_SIMULATED": "true",
        "TIEOUT_CLOCK_FILE": str((home / "clock").resolve()),
        "TIEOUT_GATEWAY_NAME": GATEWAY,
        "TIEOUT_GATEWAY_URL": f"http://127.0.0.1:{port}",
        "TIEOUT_GATEWAY_ORDERS_PATH": ORDERS_PATH,
        "TIEOUT_GATEWAY_RATE": str(CALLS_PER_S),
        "TIEOUT_ASK_PAUSE_S": str(ASK_PAUSE_S),
        "TIEOUT_GATEWAYS_FILE": str(home / "no-other-gateways.toml"),
        **keys_in(home / "simulator").of_service(),
        **ports,
    }


def _server_env(settings: Settings, servers: Servers) -> dict[str, str]:
    return {
        "TIEOUT_DATABASE_URL": servers.database_url,
        "TIEOUT_BROKER_URL": servers.broker_url,
        "TIEOUT_HOME": str(settings.home.resolve()),
    }


def _report(engine: Engine, settings: Settings, truth: Truth, *, for_machines: bool) -> bool:
    """Print how the day ties out; tell whether anything was missed, invented or unaccounted."""
    now = clock_from(settings.clock_file).now()
    with engine.connect() as connection:
        day = day_of(connection, gateway=GATEWAY, trade_date=truth.trade_date, as_of=now)
        found = stated_findings(connection, gateway=GATEWAY)
        held = stated_of_holdings(connection, gateway=GATEWAY) if truth.held is not None else frozenset()
    result = compared(truth.findings | (truth.held or frozenset()), found | held)
    if for_machines:
        click.echo(as_json({**day_as_json(day), "truth": result}))
    else:
        print_day(day)
        words = "planted {planted}, found {found}, missed {missed}, invented {invented}"
        stdout().print(words.format(**result))
    return bool(result["missed"] or result["invented"] or not day.ties_out)


def _worker_is_alive(engine: Engine) -> bool:
    with engine.connect() as connection:
        return any(sign.kind == "worker" for sign in signs(connection))


def _refuse_own_servers(settings: Settings) -> None:
    if settings.database_url or settings.broker_url:
        fix = "unset TIEOUT_DATABASE_URL and TIEOUT_BROKER_URL, set your Gateway keys, or pass --simulate"
        raise Failure(WRONG_CALL, f"the simulator plays only into embedded servers: {fix}")


def _stay(processes: Processes) -> None:
    say("Ctrl-C stops everything")
    while True:
        processes.tend()
        time.sleep(TEND_EVERY_S)
