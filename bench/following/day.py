"""A day on which webhooks are withheld: minute by minute, each waited for until nothing is left to do."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import requests

from bench.following.service import Service, seconds, start_simulator, wait_until
from config.embedded import free_port

WITHHOLD = "0.25"
MISSED = "webhook-missed"
Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What came of the day, counted from the simulator's log and the public listings."""

    transactions: int
    withheld: int
    found: int
    lost: tuple[str, ...]  #: some of the transactions that were not found
    calls: int
    asked: int  #: transactions that were asked for and whose answers had no planted fault
    most_calls: int
    longest: timedelta
    watermark: datetime | None
    close: datetime
    found_by_following: int
    untold: int  #: transactions whose end no webhook told, by the simulator's truth
    marked: int  #: of those, marked `webhook-missed`
    wrongly_marked: int

    @property
    def calls_per_transaction(self) -> float:
        """Calls for transactions without planted faults, for each of them."""
        return round(self.calls / max(1, self.asked), 3)

    def problems(self) -> list[str]:
        """What must not be."""
        found = []
        if self.found < self.withheld:
            found.append(f"{self.withheld - self.found} withheld webhooks not found: {', '.join(self.lost)}")
        if self.marked < self.untold or self.wrongly_marked:
            found.append(f"{self.untold} ends untold, {self.marked} marked so, {self.wrongly_marked} wrongly")
        if self.calls_per_transaction > 4:  # noqa: PLR2004 the promise
            found.append(f"{self.calls_per_transaction} calls a transaction")
        if self.watermark is None or self.watermark <= self.close:
            found.append(f"the watermark {self.watermark} did not pass the close {self.close}")
        return found


def play_day(own: Service, *, step: timedelta) -> DayFigures:
    """Play the day to 20:05, the clock going on by `step`, and count."""
    rows = _registrations(own)
    start, close, evening = _instants(own)
    own.say(f"{len(rows)} transactions will be created; the clock goes on by {step}")
    own.start_worker()
    done, at = 0, start
    while at < close:
        at = min(at + step, close)
        own.advance(at)
        done = _register(own, rows, done, at)
        own.until_quiet()
        if at.minute % 30 < step.total_seconds() / 60:
            own.say(f"{at:%H:%M} UTC: {done} created, {own.work().settled} webhooks settled")
    _hold(own, "play")
    own.bring_in("transactions", _csv(rows[max(0, done - 1) : done]))  # the company says: that was all
    while at < evening:
        at = min(at + timedelta(minutes=10), evening)
        own.advance(at)
        done = _register(own, rows, done, at)
        own.until_idle()
    _hold(own, "continue")
    own.until_idle()
    return _count(own, close)


def _hold(own: Service, word: str) -> None:
    """Let the day come to its hold, where it stands already."""
    own.steer(word)
    wait_until(lambda: own.simulator("status")["phase"] == "holding", "the hold", own.home)


def _instants(own: Service) -> tuple[datetime, datetime, datetime]:
    start = datetime.fromisoformat(own.simulator("status")["instant"])
    return start, start + timedelta(hours=6, minutes=45), start + timedelta(hours=11, minutes=5)


def _registrations(own: Service) -> list[Row]:
    """All that the company will create, oldest first: read from the same day, played apart without any webhook."""
    folder, port = own.home / "scout", free_port()
    options = {
        "port": str(port),
        "home": str(folder),
        "clock": str(folder / "clock"),
        "webhook-url": "http://127.0.0.1:9/nowhere",
        "retries": "schedule",
        "withhold": "1",
    }
    status = own.simulator("status")
    words = {"transactions": str(status["transactions"]), "seed": str(own.seed)}
    start_simulator(own, "scout", {**options, **words})
    url = f"http://127.0.0.1:{port}/control"
    wait_until(lambda: _phase(url) == "ready", "the scout", own.home)
    for word, step in (("play", "close"), ("continue", "evening")):
        requests.post(f"{url}/{word}", timeout=10).raise_for_status()
        wait_until(lambda step=step: _phase(url, step) == "holding", f"the scout's {step}", own.home)  # type: ignore[misc]
    own.stop("scout")
    with (folder / "transactions.csv").open(newline="") as file:
        return sorted(csv.DictReader(file), key=lambda row: row["created_at"])


def _phase(url: str, step: str | None = None) -> str:
    try:
        said = requests.get(f"{url}/status", timeout=2).json()
    except requests.RequestException:
        return "away"
    return str(said["phase"]) if step in {None, said["step"]} else "before"


def _register(own: Service, rows: Sequence[Row], done: int, until: datetime) -> int:
    """Register what was created by then; how many are."""
    last = done
    while last < len(rows) and datetime.fromisoformat(rows[last]["created_at"]) <= until:
        last += 1
    if last > done:
        own.bring_in("transactions", _csv(rows[done:last]))
    return last


def _csv(rows: Sequence[Row]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _count(own: Service, close: datetime) -> DayFigures:
    log = own.lines("log")
    withheld = [line for line in log if line["what"] == "withheld"]
    theirs = {row["transaction_id"]: row["status"] for row in own.lines("transactions")}
    ended = {row["transaction_id"]: row for row in own.tieout("following", "list")}
    (complete,) = own.tieout("completeness")
    ours = {i: row["status"] for i, row in ended.items()}
    ours |= {row["transaction_id"]: row["status"] for row in complete["open"]}
    lost = [line["transaction_id"] for line in withheld if not _is_known(line, ours, theirs)]
    asked = [line for line in log if line["what"] == "question"]
    faulty = {line["transaction_id"] for line in asked if line["status"] != requests.codes.ok}
    calls = Counter(line["transaction_id"] for line in asked if line["transaction_id"] not in faulty)
    watermark = complete["watermark"]
    findings = own.simulator("truth")["findings"]
    untold = {finding["transaction_id"] for finding in findings if finding["name"] == MISSED}
    marked = {row["transaction_id"] for row in own.tieout("breaks", "--name", MISSED)}
    return DayFigures(
        transactions=len(theirs),
        withheld=len(withheld),
        found=len(withheld) - len(lost),
        lost=tuple(lost[:5]),
        calls=calls.total(),
        asked=len(calls),
        most_calls=max(calls.values(), default=0),
        longest=_longest([line for line in withheld if line["transaction_id"] not in faulty], ended),
        watermark=datetime.fromisoformat(watermark) if watermark else None,
        close=close - timedelta(minutes=15),
        found_by_following=complete["found_by"]["following"],
        untold=len(untold),
        marked=len(untold & marked),
        wrongly_marked=len(marked - untold),
    )


def _is_known(line: dict[str, str], ours: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Whether what a withheld webhook would have told is known: that an order was placed, or how it stands now."""
    ours_now, theirs_now = ours.get(line["transaction_id"]), theirs[line["transaction_id"]]
    return ours_now == theirs_now or (line["kind"] == "placed" and ours_now == "PROCESSING")


def _longest(withheld: Sequence[dict[str, str]], ended: dict[str, dict[str, str]]) -> timedelta:
    """The longest from when the webhook of an end would have come until following knew of the end."""
    spans = [
        datetime.fromisoformat(end["found_at"]) - datetime.fromisoformat(line["instant"])
        for line in withheld
        if line["kind"] != "placed" and (end := ended.get(line["transaction_id"])) and end["found_by"] == "following"
    ]
    return max(spans, default=timedelta(0))


def told(figures: DayFigures) -> list[str]:
    """The figures in words."""
    return [
        f"{figures.transactions} transactions, {figures.withheld} webhooks withheld, {figures.found} found",
        f"  {figures.found_by_following} ends told by following first",
        f"  {figures.untold} ends that no webhook ever told, {figures.marked} of them marked {MISSED}",
        f"  {figures.calls_per_transaction} calls a transaction without faults, most {figures.most_calls}",
        f"  longest time to discovery {seconds(figures.longest)} s of the domain's clock",
        f"  watermark {figures.watermark}, close {figures.close}",
    ]
