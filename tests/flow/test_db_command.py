"""`tieout db`: status, migration, backup, restore."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from cli import context
from cli.db import db


@pytest.fixture(name="_settings", autouse=True)
def _settings() -> Iterator[None]:
    """Settings are read anew, before and after."""
    context.settings.cache_clear()
    yield
    context.settings.cache_clear()


@pytest.fixture(name="run")
def _run(database_url: str, broker_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `tieout db ...` on this test's own database."""
    monkeypatch.setenv("TIEOUT_DATABASE_URL", database_url)
    monkeypatch.setenv("TIEOUT_BROKER_URL", broker_url)
    monkeypatch.setenv("TIEOUT_HOME", str(tmp_path))
    return Run()


class Run:
    """Calls the command with these words."""

    def __call__(self, *words: str | Path) -> Result:
        """Its exit code and what it printed."""
        return CliRunner().invoke(db, [str(word) for word in words])


def _keep(engine: Engine, detail: str) -> None:
    with engine.begin() as connection:
        connection.execute(
            text("insert into alerts (name, subject, detail) values ('kept', :detail, :detail)"), {"detail": detail}
        )
    engine.dispose()


def _kept(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        found = [row.detail for row in connection.execute(text("select detail from alerts"))]
    engine.dispose()
    return found


def test_status_tells_the_schema(run: Run) -> None:
    """A migrated database is at the head, and whose it is is said."""
    told = json.loads(run("status", "--json").stdout)

    assert (told["schema"], told["server"]) == (told["head"], "your own")


def test_migrating_twice_does_no_harm(run: Run) -> None:
    """The second time there is nothing to do, and it says so."""
    assert run("migrate").exit_code == 0
    assert "already at schema" in run("migrate").stdout


def test_a_backup_brings_everything_back(run: Run, engine: Engine, tmp_path: Path) -> None:
    """What was there at the backup is there again, what came later is gone."""
    _keep(engine, "₹ 1,00,000.50")
    assert run("backup", tmp_path / "a.dump").exit_code == 0
    _keep(engine, "later")

    restored = run("restore", tmp_path / "a.dump", "--replace")

    assert restored.exit_code == 0, restored.output
    assert _kept(engine) == ["₹ 1,00,000.50"]


def test_a_backup_is_private_and_carries_its_checksum(run: Run, tmp_path: Path) -> None:
    """The file is its owner's alone; the sum beside it is in the form of sha256sum; nothing else is left."""
    run("backup", tmp_path / "backups" / "a.dump")
    file = tmp_path / "backups" / "a.dump"

    assert file.stat().st_mode & 0o077 == 0
    assert file.with_name("a.dump.sha256").read_text() == f"{hashlib.sha256(file.read_bytes()).hexdigest()}  a.dump\n"
    assert len(list(file.parent.iterdir())) == 2


def test_a_database_that_holds_something_is_not_overwritten(run: Run, engine: Engine, tmp_path: Path) -> None:
    """Without --replace a restore into it is refused, and it is as before."""
    run("backup", tmp_path / "a.dump")
    _keep(engine, "precious")

    refused = run("restore", tmp_path / "a.dump")

    assert (refused.exit_code, "--replace" in refused.output) == (2, True)
    assert _kept(engine) == ["precious"]


@pytest.mark.parametrize("with_sum", [True, False])
def test_a_damaged_backup_is_found_before_anything_is_lost(
    run: Run, engine: Engine, tmp_path: Path, *, with_sum: bool
) -> None:
    """By its checksum, or without one by reading it to the end."""
    file = tmp_path / "a.dump"
    run("backup", file)
    _keep(engine, "precious")
    file.write_bytes(file.read_bytes()[:-5000])
    if not with_sum:
        file.with_name("a.dump.sha256").unlink()

    assert run("restore", file, "--replace").exit_code == 1
    assert _kept(engine) == ["precious"]


def test_a_restore_waits_for_nobody(run: Run, engine: Engine, tmp_path: Path) -> None:
    """While somebody is connected it is refused, naming what to do."""
    run("backup", tmp_path / "a.dump")
    with engine.connect() as connection:
        connection.execute(text("select 1"))
        refused = run("restore", tmp_path / "a.dump", "--replace")
    engine.dispose()

    assert (refused.exit_code, "stop the service" in refused.output) == (2, True)


def test_a_backup_that_cannot_be_written_leaves_nothing(run: Run) -> None:
    """The message names the file."""
    refused = run("backup", "/proc/nowhere/a.dump")

    assert (refused.exit_code, "cannot write /proc/nowhere/a.dump" in refused.output) == (1, True)
