"""A simulated day in one piece, and the same day on a bad one."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from bench import chaos
from bench.days import play

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

TRANSACTIONS = 120
FROZEN_S = 4.0


def test_a_disturbed_day_ties_out_to_the_same_digest(servers_folder: Path) -> None:
    """Broker emptied and frozen, worker killed at three points, database restarted: nothing differs."""
    plan: list[tuple[float, chaos.Disturbance]] = [
        (0.10, chaos.empty_broker),
        (0.20, chaos.kill_after_claim),
        (0.40, chaos.restart_database),
        (0.55, chaos.kill_in_fetch),
        (0.70, partial(chaos.freeze_broker, frozen_s=FROZEN_S)),
        (0.85, chaos.kill_before_commit),
    ]
    calm = play(servers_folder / "calm", seed=7, transactions=TRANSACTIONS)
    bad = chaos.play_disturbed(servers_folder / "bad", "all", plan, seed=7, transactions=TRANSACTIONS)

    assert calm.clean, calm.remarks
    assert bad.day.clean, bad.day.remarks
    assert bad.day.said["digest"] == calm.said["digest"]
    assert (bad.lost_events, bad.unsettled) == (0, 0)
    assert bad.claims > bad.units
    assert bad.cut_off > 0
