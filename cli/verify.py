"""`tieout verify`: the independent verifier on this installation's database."""

from __future__ import annotations

from datetime import date

import click

from cli.context import servers, the_gateway
from cli.day import TradeDate
from cli.show import FOUND, WRONG_CALL, Failure, stderr, stdout
from cli.show import as_json as json_line
from store.engine import driver_url
from verify.__main__ import as_json, as_text
from verify.closes import NotClosedError
from verify.database import reading
from verify.day import verify as verify_day

EPILOG = """
\b
Examples:
  tieout verify 2026-11-20
  tieout verify 2026-11-20 --root 436779d2...   as it was written down when the day was closed
The same without this service: python -m verify --database-url URL --date 2026-11-20
Exit status: 0 the day is what was signed, 1 it is not and the rows are named.
"""


@click.command(epilog=EPILOG)
@click.argument("trade_date", metavar="DATE", type=TradeDate())
@click.option("--gateway", help="Which gateway, if you have several.")
@click.option("--version", type=int, help="Which close, if the day was reopened; else the one that stands.")
@click.option("--root", metavar="HEX", help="The root as it was written down when the day was closed.")
@click.option("--json", "as_json_", is_flag=True, help="Print one JSON object.")
def verify(*, trade_date: date, gateway: str | None, version: int | None, root: str | None, as_json_: bool) -> None:
    """Recompute a closed day from what is stored; say yes, or name the rows that differ."""
    name = the_gateway(gateway).name
    with (
        servers() as found,
        reading(driver_url(found.database_url)) as reader,
        stderr().status(f"verifying {trade_date}") as status,
    ):
        try:
            close, report = verify_day(
                reader,
                day=trade_date,
                gateway=name,
                version=version,
                root=root,
                tell=lambda step: status.update(f"verifying {trade_date}: {step}"),
            )
        except NotClosedError as error:
            raise Failure(WRONG_CALL, str(error)) from None
    if as_json_:
        click.echo(json_line(as_json(close, report)))
    else:
        stdout().print(as_text(close, report), markup=False)
    if not report.holds:
        raise SystemExit(FOUND)
