"""Following at full size, as `tieout bench follow` measures it."""

from __future__ import annotations

import subprocess
import sys

from bench.proofs import Outcome


def follow() -> Outcome:
    """A day of 5,000 with a quarter of the webhooks withheld, the limit, and an outage with 500 open."""
    command = [sys.executable, "-m", "bench.follow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 our own program
        assert running.stdout
        lines = [line.rstrip() for line in running.stdout]
    return Outcome(running.returncode == 0, lines or ["nothing was measured: the words above say why"])
