"""Playing a simulated trading day through the running service, hold by hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import Engine

from cli.day import EVERYTHING
from cli.processes import Processes
from cli.show import AWAY, Failure, stderr
from cli.simulated import GATEWAY, Simulator, Truth, truth_in
from config.clock import Clock
from config.settings import Settings
from store.progress import OpenWork, open_work
from tieout import imports
from tieout.follow import ask_again
from tieout.holdings_recon import reconcile_holdings
from tieout.rules import rules_from

LOOK_AGAIN_S = 0.2
STUCK_S = 180.0  #: nothing moved for so long: something is wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """One simulated day, the running service, and where the simulator keeps its files."""

    settings: Settings
    engine: Engine
    clock: Clock
    simulator: Simulator
    folder: Path
    processes: Processes
    say: Callable[[str], None]

    def play(self) -> Truth:
        """Play to the end and return what was planted. Raises `Failure` when it is stuck."""
        self._bring_in("instruments")
        self.say("playing the day: webhooks arrive, workers ask the Gateway")
        self.simulator.play()
        while True:
            truth = self._play_day()
            self.simulator.carry_on()
            if self._is_over():
                return truth
            self.say("the next day")

    def _is_over(self) -> bool:
        """Whether that was the last day; the next one has begun to be played otherwise."""
        deadline = time.monotonic() + STUCK_S
        while (phase := self.simulator.status().phase) not in {"holding", "done"} and time.monotonic() < deadline:
            time.sleep(LOOK_AGAIN_S)
        return phase == "done"

    def _play_day(self) -> Truth:
        """One day, through both holds."""
        self._until_held("close")
        self._bring_in("transactions")
        self._until_idle("settling what came before the close")
        self.simulator.carry_on()
        self._until_held("evening")
        self._bring_in("transactions")
        truth = truth_in(self.folder)
        self._bring_in("orders", complete=truth.trade_date)
        self._bring_in("corporate-actions")
        self._bring_in("positions")
        self._ask_again()
        self._until_idle("asking again for what is not at its end, and reconciling")
        self._reconcile_holdings()
        return truth

    def _reconcile_holdings(self) -> None:
        """What the worker's review did not come to yet: an order's break may explain a holding's."""
        rules = rules_from(self.settings)
        reconcile_holdings(self.engine, now=self.clock.now(), rules=rules, limit=EVERYTHING, gateway=GATEWAY)

    def _bring_in(self, kind: str, complete: date | None = None) -> None:
        file = self.folder / f"{kind}.csv"
        report = imports.import_file(
            self.engine,
            kind=kind,
            file=file,
            gateways=self.settings.gateways(),
            now=self.clock.now(),
            rules=rules_from(self.settings),
            complete_for=complete,
        )
        self.say(f"imported {file.name}: {report.new} new of {report.rows} rows, {report.refused} refused")

    def _ask_again(self) -> None:
        with self.engine.begin() as connection:
            ask_again(connection, gateway=GATEWAY, trade_date=None, now=self.clock.now())

    def _until_held(self, step: str) -> None:
        with _bar(f"webhooks until the {step}") as show:
            last, moved_at = -1, time.monotonic()
            while not ((status := self.simulator.status()).phase == "holding" and status.step == step):
                show(status.posted, status.to_post)
                last, moved_at = self._moved(status.posted, last, moved_at)
            show(status.posted, status.to_post)

    def _until_idle(self, what: str) -> None:
        with _bar(what) as show:
            last, moved_at = -1, time.monotonic()
            while not (work := self._work()).idle:
                left = work.events + work.asks + work.claims + work.verdicts
                show(work.settled, work.settled + work.events)
                last, moved_at = self._moved(left, last, moved_at)
            show(work.settled, work.settled)

    def _work(self) -> OpenWork:
        with self.engine.connect() as connection:
            return open_work(connection, gateway=GATEWAY, now=self.clock.now())

    def _moved(self, now: int, last: int, moved_at: float) -> tuple[int, float]:
        self.processes.tend()
        if now != last:
            moved_at = time.monotonic()
        elif time.monotonic() - moved_at > STUCK_S:
            raise Failure(AWAY, f"nothing moved for {STUCK_S:.0f} s: see the logs in {self.processes.logs}")
        time.sleep(LOOK_AGAIN_S)
        return now, moved_at


@contextmanager
def _bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr; yields what moves it to (done, total)."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=stderr()) as progress:
        task = progress.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)

        yield show
