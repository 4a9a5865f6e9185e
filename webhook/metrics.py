"""The edge's metrics on a loopback port of their own. Nothing is counted twice: a scrape reads what is."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from webhook.build import Built


class EdgeCollector(Collector):
    """Reads the writer's, the announcer's and the refusals' own counts when asked."""

    def __init__(self, built: Built) -> None:
        """Take the parts to read."""
        self._built = built

    def collect(self) -> Iterable[Metric]:
        """All metrics as they stand."""
        writer, announced = self._built.writer.counts, self._built.announcer.counts
        yield _counter("tieout_edge_accepted", "Webhooks saved as a new event.", writer.accepted)
        yield _counter("tieout_edge_duplicates", "Webhooks saved as a repeat of a known event.", writer.duplicates)
        yield _counter("tieout_edge_groups", "Groups of webhooks that were saved together.", writer.groups)
        yield _counter("tieout_edge_statements", "SQL statements that saved a group.", writer.statements)
        yield _counter("tieout_edge_save_failures", "Groups that could not be saved.", writer.failures)
        yield CounterMetricFamily("tieout_edge_commit_seconds", "Time spent saving.", value=writer.commit_s)
        yield _counter("tieout_edge_announced", "Units announced.", announced.units)
        yield _counter("tieout_edge_announcements_dropped", "Units left to the sweep.", announced.dropped)
        yield GaugeMetricFamily(
            "tieout_edge_cannot_save", "1 while nothing can be saved.", int(self._built.writer.failed)
        )
        yield self._refused()

    def _refused(self) -> Metric:
        family = CounterMetricFamily("tieout_edge_refused", "Webhooks refused.", labels=["gateway", "reason"])
        for (gateway, reason), count in list(self._built.refusals.counts.items()):
            family.add_metric([gateway, reason], count)
        return family


def serve(built: Built, *, first_port: int, ports: int) -> int | None:
    """Serve the metrics on the first free port of `ports` from `first_port`; None when all are taken."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(EdgeCollector(built))
    for port in range(first_port, first_port + ports):
        try:
            start_http_server(port, addr="127.0.0.1", registry=registry)
        except OSError:
            continue
        return port
    return None


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(name, text, value=value)
