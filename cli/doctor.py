"""`tieout doctor`: look at this installation and say what to do about what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

import click

from cli.context import servers, settings
from cli.show import FOUND, show_rows
from cli.simulated import planted_alerts
from config.clock import SystemClock
from config.server_errors import ServerError
from config.settings import Settings
from store.engine import connect
from tieout import checks
from tieout.alert_check import alert_check
from tieout.checks import Check
from tieout.gateway_check import gateway_check

COLUMNS = ("check", "ok", "detail", "fix")


EPILOG = """
\b
Examples:
  tieout doctor                what is right and wrong here, with the fix
  tieout doctor --gateway      and whether each API takes the keys that are set
  tieout doctor --json         one object a check, for machines
"""


@click.command(epilog=EPILOG)
@click.option("--gateway", "ask_gateway", is_flag=True, help="Also ask the real API with the real keys.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
def doctor(*, ask_gateway: bool, as_json: bool) -> None:
    """Check Python, settings, keys, servers, ports, clocks and workers. Exit 1 if anything is wrong."""
    found = list(_checks(settings(), ask_gateway=ask_gateway))
    show_rows([asdict(check) if as_json else _words(check) for check in found], columns=COLUMNS, as_json=as_json)
    if not all(check.ok for check in found):
        raise SystemExit(FOUND)


def _checks(settings_: Settings, *, ask_gateway: bool) -> Iterator[Check]:
    yield from checks.machine(settings_)
    yield from checks.keys(settings_, SystemClock().now())
    yield from _of_servers(settings_)
    if ask_gateway:
        yield from map(gateway_check, settings_.gateways())


def _of_servers(settings_: Settings) -> Iterator[Check]:
    """What needs the servers; one that is away ends the list with what to do."""
    try:
        with servers() as found:
            engine = connect(found.database_url, application="tieout-doctor")
            yield from checks.of_servers(found, engine, wall=SystemClock())
            if checks.migrated(found.database_url):
                yield from checks.of_service(engine, settings_)
                yield alert_check(engine, planted_alerts(settings_))
            engine.dispose()
    except ServerError as error:
        said, _, fix = str(error).partition(": ")
        yield Check(check="servers", ok=False, detail=said if fix else str(error), fix=fix)


def _words(check: Check) -> dict[str, object]:
    return {**asdict(check), "ok": "ok" if check.ok else "NO"}
