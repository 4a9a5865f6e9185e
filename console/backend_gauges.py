"""Gauges of what the company's backend does: creations by how they ended, accounts by whose they are."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from console.desk import Desk
from tieout.desk.backend import BackendNow, backend_now

STATES = ("asking", "created", "refused", "unclear", "failed")


class BackendGauges(Collector):
    """Counted when made."""

    def __init__(self, desk: Desk) -> None:
        """Look once."""
        self._now: BackendNow = backend_now(desk.engine)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All gauges of that look."""
        made = GaugeMetricFamily("tieout_creations_last_day", "Creations of the last day by state", labels=["state"])
        for state in STATES:
            made.add_metric([state], self._now.creations.get(state, 0))
        yield made
        known = GaugeMetricFamily("tieout_accounts", "Accounts known, by whether a user has them", labels=["linked"])
        known.add_metric(["yes"], self._now.linked)
        known.add_metric(["no"], self._now.unlinked)
        yield known
        yield GaugeMetricFamily("tieout_links_refused", "Links and tokens ever refused", value=self._now.refused)
