"""A simulated day as a newcomer plays it: `tieout up --once --json` in a home of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from config.servers import open_servers
from config.settings import Settings, child_environment

LIMIT_S = 900.0
TIEOUT = (sys.executable, "-m", "cli.main")


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What one `--once` run said, and how long it took."""

    seed: int
    status: int
    took_s: float
    said: Mapping[str, Any]
    remarks: str

    @property
    def clean(self) -> bool:
        """Nothing missed, nothing invented, nothing unaccounted."""
        truth, orders = self.said.get("truth", {}), self.said.get("orders") or {}
        exact = truth.get("missed") == 0 and truth.get("invented") == 0 and truth.get("planted", 0) > 0
        return self.status == 0 and exact and orders.get("unaccounted", {}).get("count") == 0

    @property
    def line(self) -> str:
        """One line for people."""
        truth = self.said.get("truth", {})
        counts = " ".join(f"{name} {truth.get(name)}" for name in ("planted", "found", "missed", "invented"))
        unaccounted = (self.said.get("orders") or {}).get("unaccounted")
        return f"seed {self.seed}: {counts}; unaccounted {unaccounted}; {self.took_s:.0f} s; exit {self.status}"


@dataclass(frozen=True, slots=True)
class Playing:
    """A day that is being played."""

    process: subprocess.Popen[str]
    seed: int
    started_at: float

    def finish(self) -> Day:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=LIMIT_S)
        last = out.strip().splitlines()[-1] if out.strip() else "{}"
        return Day(
            seed=self.seed,
            status=self.process.returncode,
            took_s=time.monotonic() - self.started_at,
            said=json.loads(last) if last.startswith("{") else {},
            remarks=err,
        )


def unsettled(home: Path) -> int:
    """How many accepted events of the last day in that home are neither done nor put aside with a reason."""
    with open_servers(Settings(home=home / "once")) as servers, psycopg.connect(servers.database_url) as connection:
        row = connection.execute(_UNSETTLED).fetchone()
    return int(row[0]) if row else 0


_UNSETTLED = """
select count(*) from events
where state in ('received', 'claimed') or state in ('waiting', 'parked') and reason is null
"""


def begin(home: Path, *, seed: int, transactions: int) -> Playing:
    """Start a day in that home."""
    command = [*TIEOUT, "up", "--once", "--json", "--seed", str(seed), "--transactions", str(transactions)]
    process = subprocess.Popen(  # noqa: S603 our own program, no shell
        command,
        env=child_environment({"TIEOUT_HOME": str(home)}, own=False),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    return Playing(process, seed, time.monotonic())


def play(home: Path, *, seed: int, transactions: int) -> Day:
    """Play a day to its end."""
    return begin(home, seed=seed, transactions=transactions).finish()
