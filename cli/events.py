"""`tieout events`: webhook events listed, shown, explained and replayed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click
from sqlalchemy import Engine

from cli.context import clock, database, settings
from cli.show import FOUND, WRONG_CALL, Failure, as_json, cell, output_options, show_rows, stderr, stdout
from config.calendar import IST
from gateway.checks import checks_from
from gateway.explain import Row
from gateway.explain import explain as explained
from store.desk_events import EventFilter, EventGroup
from tieout.desk import events as desk_events
from tieout.desk.evidence import as_text
from tieout.desk.reasons import told_of
from tieout.replay import LIMIT, Parked, replay

EPILOG = """
\b
Examples:
  tieout events                            the newest events
  tieout events --json --state parked      all parked ones, one JSON object a line
  tieout events --refused                  requests that were refused, and why
  tieout events show EVENT                 one event with its deliveries and attempts
  tieout events explain body.json          which key and formula would verify a captured body
  tieout events replay --parked --why "keys mended"   put parked events back, after a preview
"""
SHORT = 50  #: rows of a table for people when no limit is given
EMPTY = "No event matches. A refused webhook is no event: tieout events --refused"
NOT_OF_REFUSALS = ("state", "family", "transaction_id", "batch_id", "account")  #: options that narrow events only
DATE = click.DateTime(["%Y-%m-%d"])


def list_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add what narrows a listing of events, and its output."""
    options = (
        click.option("--refused", is_flag=True, help="List refused requests instead."),
        click.option("--state", type=click.Choice(desk_events.STATES), help="Only events in this state."),
        click.option("--family", type=click.Choice(desk_events.FAMILIES), help="Only this family."),
        click.option("--reason", help="Only with this reason, such as unknown-transaction."),
        click.option("--gateway", help="Only of this gateway."),
        click.option("--transaction", "transaction_id", metavar="ID", help="Only about this transaction."),
        click.option("--batch", "batch_id", metavar="ID", help="Only about this batch."),
        click.option("--account", metavar="ID", help="Only of this smallcaseAuthId."),
        click.option("--from", "since", type=DATE, help="Received on or after this IST date."),
        click.option("--to", "until", type=DATE, help="Received on or before this IST date."),
        click.option("--limit", type=click.IntRange(1), help="At most so many; machines get all without it."),
    )
    for option in reversed(options):
        command = option(command)
    return output_options(command)


@click.group(invoke_without_command=True, epilog=EPILOG)
@list_options
@click.pass_context
def events(ctx: click.Context, /, **options: Any) -> None:
    """List, show, explain and replay webhook events; without a command, list."""
    if ctx.invoked_subcommand is None:
        _list(**options)


@events.command("list")
@list_options
def list_(**options: Any) -> None:
    """List events, newest first."""
    _list(**options)


def _list(*, refused: bool, limit: int | None, as_json: bool, as_csv: bool, **narrow: Any) -> None:
    for_people = not (as_json or as_csv)
    limit = SHORT if for_people and limit is None else limit
    if refused and (strange := [name for name in NOT_OF_REFUSALS if narrow[name]]):
        options = ", ".join(f"--{name.removesuffix('_id')}" for name in strange)
        raise Failure(WRONG_CALL, f"{options}: a refused request has none; narrow by --gateway, --reason, --from, --to")
    with database() as engine:
        rows = _rows(engine, wanted(**narrow), refused=refused, limit=limit)
        columns = _columns(refused=refused, short=for_people)
        empty = "Nothing was refused." if refused else EMPTY
        shown = show_rows(rows, columns=columns, as_json=as_json, as_csv=as_csv, empty=empty)
    if for_people and shown == limit:
        stderr().print(f"The newest {limit}; more with --limit, all with --json or --csv.")


def _rows(engine: Engine, narrow: EventFilter, *, refused: bool, limit: int | None) -> Iterator[dict[str, object]]:
    if refused:
        return desk_events.refused_listing(engine, narrow, limit=limit)
    return desk_events.listing(engine, narrow, limit=limit)


def _columns(*, refused: bool, short: bool) -> tuple[str, ...]:
    if refused:
        return desk_events.REFUSED_SHORT if short else desk_events.REFUSED_COLUMNS
    return desk_events.SHORT_COLUMNS if short else desk_events.COLUMNS


def wanted(*, since: datetime | None, until: datetime | None, **exact: str | None) -> EventFilter:
    """The filter that the options name; dates are whole IST days."""
    found = EventFilter(
        since=_midnight(since.date()) if since else None,
        until=_midnight(until.date() + timedelta(days=1)) if until else None,
    )
    return replace(found, **exact)  # type: ignore[arg-type]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), IST).astimezone(UTC)


@events.command()
@click.argument("event", type=click.UUID)
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
def show(*, event: UUID, as_json_: bool) -> None:
    """Show one event with its deliveries and the attempts on its transaction."""
    with database() as engine:
        whole = desk_events.show(engine, event)
    if whole is None:
        raise Failure(WRONG_CALL, f"no event has the id {event}: find it with tieout events --transaction ID")
    if as_json_:
        click.echo(as_json(_object(whole)))
    else:
        _print(whole)


def _object(whole: desk_events.WholeEvent) -> dict[str, object]:
    names = ("received_at", "verdict", "key_id", "marks", "headers")
    return {
        **desk_events.as_row(whole.event),
        "arrivals": [
            {**{name: getattr(arrival, name) for name in names}, "body": as_text(arrival.body)}
            for arrival in whole.deliveries
        ],
        "timeline": [
            {name: getattr(step, name) for name in ("at", "outcome", "reason", "detail", "http_status", "took_ms")}
            for step in whole.attempts
        ],
        "findings": [finding.finding_id for finding in whole.findings if not finding.closed_at],
    }


def _print(whole: desk_events.WholeEvent) -> None:
    out = stdout()
    for name, value in desk_events.as_row(whole.event).items():
        out.print(f"{name:<15} {cell(value)}", markup=False)
    if told := told_of(whole.event.state, whole.event.reason):
        out.print(f"{'meaning':<15} {told.means}\n{'to do':<15} {told.todo}", markup=False)
    for arrival in whole.deliveries:
        marks = f", {', '.join(arrival.marks)}" if arrival.marks else ""
        out.print(f"\ndelivered {cell(arrival.received_at)} {arrival.verdict}{marks}", markup=False)
        out.print(as_text(arrival.body), markup=False)
    if whole.attempts:
        out.print("\nattempts on its transaction")
    for step in whole.attempts:
        said = " ".join(str(part) for part in (step.reason, step.detail) if part)
        out.print(f"{cell(step.at)} {step.outcome:<8} {said}", markup=False)


@events.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--gateway", help="Try the keys of this gateway; without it, of all.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object a line.")
def explain(*, file: Path, gateway: str | None, as_json_: bool) -> None:
    """Tell which key and formula verify a captured webhook body, and what would match.

    Nothing is stored and no database is needed. Exit status 1: no key verifies it.
    """
    rows = list(_explained(file, gateway))
    show_rows(map(asdict, rows), columns=("what", "value", "fix"), as_json=as_json_)
    if not any(row.what == "matches" for row in rows):
        sys.exit(FOUND)


def _explained(file: Path, name: str | None) -> Iterator[Row]:
    """The explanation for one gateway or for each. Raises `SettingsError`, `Failure`."""
    gateways = (settings().gateway(name),) if name else settings().gateways()
    if not gateways:
        raise Failure(WRONG_CALL, "no gateway is set: set TIEOUT_GATEWAY_NAME and its secrets in .env")
    with click.open_file(str(file), "rb") as source:
        body = source.read()
    for one in gateways:
        yield from explained(
            body,
            gateway=one.name,
            api_keys=one.api_secrets,
            jwt_keys=one.secrets,
            now=clock().now(),
            checks=checks_from(settings()),
        )


@events.command("replay")
@click.argument("event_ids", metavar="[EVENT]...", nargs=-1, type=click.UUID)
@click.option("--parked", is_flag=True, help=f"All parked events, at most {LIMIT:,}; narrow with --reason, --gateway.")
@click.option("--reason", help="With --parked: only those parked for this reason.")
@click.option("--gateway", help="With --parked: only those of this gateway.")
@click.option("--why", required=True, help="Why they are replayed; kept with the attempts.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
def replay_(
    *,
    event_ids: tuple[UUID, ...],
    parked: bool,
    reason: str | None,
    gateway: str | None,
    why: str,
    yes: bool,
    dry_run: bool,
) -> None:
    """Put parked events back to work, after a preview; what is done stays done."""
    if bool(event_ids) == parked:
        raise Failure(WRONG_CALL, "name the events, or say --parked for all parked ones")
    if (reason or gateway) and not parked:
        raise Failure(WRONG_CALL, "--reason and --gateway narrow --parked: say --parked, or name only events")
    with database() as engine:
        found = _preview(engine, event_ids, reason=reason, gateway=gateway)
        if dry_run or not found:
            return
        _confirm(yes=yes)
        meant = event_ids or Parked(gateway=gateway, reason=reason)
        click.echo(str(replay(engine, meant, now=clock().now(), reason=why)))


def _preview(engine: Engine, ids: tuple[UUID, ...], *, reason: str | None, gateway: str | None) -> int:
    """Say what would be touched; how many events that are."""
    narrowed = EventFilter(state=None if ids else "parked", reason=reason, gateway=gateway)
    groups = desk_events.counts(engine, narrowed, ids)
    for group in groups:
        stderr().print(f"{group.count:>7,} {group.state} {group.reason}: {_effect(group)}", markup=False)
    found = sum(group.count for group in groups)
    if missing := len(set(ids)) - found if ids else 0:
        stderr().print(f"{missing:>7,} not there: find them with tieout events --transaction ID")
    if ids and not found:
        raise Failure(WRONG_CALL, "no such event: nothing was changed")
    if not found:
        stderr().print("Nothing to replay: no such event is parked.")
    return found


def _effect(group: EventGroup) -> str:
    if group.state != "parked":
        return "left as they are"
    return "put back to work" if group.askable else "left as they are: they name nothing that could be asked about"


def _confirm(*, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure(WRONG_CALL, "this changes what is queued: add --yes to do it without a question")
    if not click.confirm("Do it?", err=True):
        raise Failure(FOUND, "nothing was changed")
