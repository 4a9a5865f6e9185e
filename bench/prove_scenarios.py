"""Every scenario of the repository, played through the whole service: what its steps say is found, and no more."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.proofs import Outcome
from config.settings import child_environment

SCENARIOS: Final = Path("simulator/scenarios")
#: Needs a service that is given the next secrets in time: rotation has a proof of its own.
ELSEWHERE: Final = frozenset({"new-keys"})
LIMIT_S: Final = 600.0


def scenarios() -> Outcome:
    """Each in a fresh home, one after another."""
    files = [file for file in sorted(SCENARIOS.glob("*.toml")) if file.stem not in ELSEWHERE]
    played = [_played(file) for file in files]
    return Outcome(all(held for held, _ in played), [line for _, line in played])


def _played(file: Path) -> tuple[bool, str]:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tieout-prove-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        command = [sys.executable, "-m", "cli.main", "up", "--once", "--json", "--scenario", str(file)]
        done = subprocess.run(  # noqa: S603 our own program, no shell
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_S,
            env=child_environment({"TIEOUT_HOME": name}),
        )
    took_s = time.monotonic() - begun
    if not done.stdout.strip():
        return False, f"{file.stem}: exit {done.returncode}: {done.stderr.strip()[-300:]}"
    said = json.loads(done.stdout.strip().splitlines()[-1])
    line = f"{file.stem}: exit {done.returncode}, {_counts(said)}, {took_s:.0f} s"
    print(line, flush=True)
    return done.returncode == 0, line


def _counts(said: Mapping[str, Any]) -> str:
    truth, left = said["truth"], said["orders"]["unaccounted"]["count"]
    words = "planted {planted}, found {found}, missed {missed}, invented {invented}".format(**truth)
    return f"{words}, unaccounted {left}"
