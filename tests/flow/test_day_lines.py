"""The lines behind a day's figures: on the command line, on a page, in a workbook."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook
from sqlalchemy import Engine

from cli import context
from cli.main import tieout
from config.clock import FixedClock
from config.settings import Settings
from console.app import create_app
from tests.builders import EVENING, GATEWAY
from tieout.desk.broker import BrokerWatch
from tieout.rules import rules_from

DAY = "2026-11-20"
FIGURES = ("count", "quantity", "amount")


@pytest.fixture(name="database_url")
def _database_url(settled_url: str) -> str:
    """A copy of the small day, told and judged."""
    return settled_url


@pytest.fixture(autouse=True)
def _service(database_url: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings of one gateway on the tests' own servers, and a clock that stands at 20:30 IST."""
    clock = tmp_path / "clock"
    clock.write_text(EVENING.isoformat())
    named = {"HOME": str(tmp_path), "DATABASE_URL": database_url, "BROKER_URL": broker_url, "SIMULATED": "true"}
    keys = {"GATEWAY_SECRETS": "k1:a-secret-of-some-length-for-tests", "GATEWAY_NAME": GATEWAY}
    keys |= {"GATEWAY_API_SECRETS": "k1:another-secret-of-some-length", "CLOCK_FILE": str(clock)}
    for name, value in (named | keys).items():
        monkeypatch.setenv(f"TIEOUT_{name}", value)
    context.settings.cache_clear()
    yield
    context.settings.cache_clear()


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(tieout, arguments)


def _buckets() -> dict[tuple[str, str], tuple[int, Decimal, Decimal]]:
    told = json.loads(_run("day", DAY, "--json").stdout)["orders"]["buckets"]
    return {(b["name"], b["side"]): (b["count"], Decimal(b["quantity"]), Decimal(b["amount"])) for b in told}


def _summed(rows: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, Decimal, Decimal]]:
    """The same figures from the lines themselves; a side without a line has no amount."""
    found: defaultdict[tuple[str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 3)
    for row in rows:
        for side, mine in (("ours", "our"), ("theirs", "their")):
            if row[f"{mine}_amount"] not in (None, ""):
                values = (Decimal(1), Decimal(row[f"{mine}_filled"] or 0), Decimal(row[f"{mine}_amount"]))
                so_far = found[row["bucket"], side]
                found[row["bucket"], side] = [old + new for old, new in zip(so_far, values, strict=True)]
    return {key: (int(count), quantity, amount) for key, (count, quantity, amount) in found.items()}


def test_the_lines_add_up_to_the_buckets_of_the_day(engine: Engine) -> None:
    """In count, shares and rupees, on both sides; only the row that could not be read is no line."""
    told = _buckets()
    rows = [json.loads(line) for line in _run("lines", DAY, "--json").stdout.splitlines()]
    count, quantity, amount = told["excluded", "ours"]
    told["excluded", "ours"] = (count - 1, quantity, amount)
    assert _summed(rows) == told


def test_the_lines_of_one_bucket_are_listed_alone(engine: Engine) -> None:
    """As CSV with every column, and short for people with its numbers grouped."""
    rows = list(csv.DictReader(io.StringIO(_run("lines", DAY, "--bucket", "excluded", "--csv").stdout)))
    assert [(row["bucket"], row["order_id"], row["transaction_id"]) for row in rows] == [("excluded", "STRAY", "")]
    assert "STRAY" in _run("lines", DAY, "--bucket", "excluded").stdout
    nothing = _run("lines", DAY, "--bucket", "zone-shift")
    assert (nothing.exit_code, "No line lies there" in nothing.stderr) == (0, True)


def test_a_page_shows_the_lines_of_a_bucket_and_what_could_not_be_read(engine: Engine) -> None:
    """The day leads there; excluded lines stand beside rows that were refused, with what is wrong with them."""
    settings = Settings(console_port=8081)
    watch, clock = BrokerWatch("redis://127.0.0.1:1/0"), FixedClock(EVENING)
    client = create_app(settings, engine=engine, watch=watch, clock=clock, rules=rules_from(settings)).test_client()
    base = "http://127.0.0.1:8081"
    day = client.get(f"/day/{DAY}?gateway={GATEWAY}", base_url=base).text
    assert f"/day/{DAY}/lines?bucket=excluded" in day
    page = client.get(f"/day/{DAY}/lines?bucket=excluded&gateway={GATEWAY}", base_url=base).text
    assert "STRAY" in page
    assert "Rows that could not be read" in page
    assert "<code>up</code>" in page.rsplit("Rows that could not be read", 1)[1]
    for path in ("lines?bucket=nothing", "lines?after=x~1"):
        assert client.get(f"/day/{DAY}/{path}", base_url=base).status_code == 400, path


def test_a_workbook_adds_itself_up_to_what_the_day_says(engine: Engine, tmp_path: Path) -> None:
    """Its buckets are formulas over its own lines, and lines, formulas' values and day say the same."""
    file = tmp_path / "day.xlsx"
    result = _run("export", DAY, "--to", str(file))
    assert (result.exit_code, result.stdout.startswith(f"wrote {file}")) == (0, True)
    values, formulas = load_workbook(file, data_only=True), load_workbook(file)
    header, *lines = values["Lines"].iter_rows(values_only=True)
    rows = [dict(zip((str(name).replace(" ", "_") for name in header), line, strict=True)) for line in lines]
    told, summed = _buckets(), _summed([{k: None if v is None else str(v) for k, v in row.items()} for row in rows])
    assert {key for key in told if summed.get(key) != told[key]} == {("excluded", "ours")}
    for row in values["Day"].iter_rows(min_row=2, max_row=1 + len({name for name, _ in told}), values_only=True):
        for side, place in (("ours", 1), ("theirs", 4)):
            said = [Decimal(str(value)) for value in row[place : place + 3]]
            assert said == [*told.get((str(row[0]), side), (0, 0, 0))], row
            assert not any(isinstance(value, str) for value in row[1:]), "who does not calculate sees numbers, too"
    assert formulas["Day"]["C2"].value == "=SUMIFS(Lines!$L:$L,Lines!$A:$A,$A2)"
    left = next(row for row in values["Day"].iter_rows(values_only=True) if row[0] == "unaccounted")
    assert [Decimal(str(value)) for value in left[1:]] == [0] * 6
    assert values["Refused rows"].max_row == 2
    assert values["Findings"].max_row > 1


@pytest.mark.parametrize(
    ("to", "words"),
    [("day.csv", "end its name in .xlsx"), ("no/such/day.xlsx", "there is no folder"), ("", "replace it with --force")],
)
def test_an_export_that_cannot_be_written_says_what_to_do(tmp_path: Path, to: str, words: str) -> None:
    """A wrong call, before anything is judged; a file that is there is never replaced unasked."""
    there = tmp_path / "there.xlsx"
    there.write_bytes(b"mine")
    result = _run("export", DAY, "--to", str(tmp_path / to if to else there))
    assert (result.exit_code, words in result.stderr) == (2, True)
    assert there.read_bytes() == b"mine"
