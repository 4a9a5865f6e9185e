"""Both secrets replaced under load, at full size."""

from __future__ import annotations

import subprocess
import sys

from bench.proofs import Outcome


def keys_replaced() -> Outcome:
    """A day during which the Gateway and the service change over to new secrets; its settings are its own."""
    command = [sys.executable, "-m", "bench.rotation"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 our own program
    return Outcome(done.returncode == 0, done.stdout.splitlines())
