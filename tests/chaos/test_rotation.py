"""Replacing both secrets while webhooks come loses none of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from config.settings import child_environment

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]


def test_both_secrets_are_replaced_while_webhooks_come() -> None:
    """No good webhook is refused, no call either; each delivery names the key that signed it, old or new."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.rotation", "--short"],
        capture_output=True,
        text=True,
        check=False,
        env=child_environment({}, own=False),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "by a1" in done.stdout
    assert "by a2" in done.stdout
