"""The queue as rows and as one object, for a terminal and for machines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from tieout.desk.queue import QueueNow
from tieout.desk.troubles import Trouble

REASON_COLUMNS = ("state", "reason", "events", "oldest_s", "next_try")
PART_COLUMNS = ("part", "name", "state", "seen_s_ago", "detail")


def lines(now: QueueNow) -> Iterator[str]:
    """The figures in a few lines."""
    oldest = "nothing is open" if now.oldest_s is None else f"the oldest {now.oldest_s:,} s old"
    yield (
        f"{now.waiting:,} waiting, {now.in_flight:,} in flight, {now.scheduled:,} scheduled, {oldest};"
        f" {now.parked_count:,} parked"
    )
    yield f"today {now.today.done:,} of {now.today.received:,} settled; {_paced(now)}"
    yield (
        f"{now.units.followed:,} transactions followed, {now.units.ask_due:,} due to be asked,"
        f" {now.units.unjudged:,} to be judged"
    )
    depths = now.depths
    broker = "away" if depths.waiting is None else f"{depths.waiting:,} waiting, {depths.unacked:,} held by workers"
    yield f"broker {broker}; database {depths.open:,} units open, {depths.claimed:,} claimed"


def _paced(now: QueueNow) -> str:
    pace = now.pace
    if pace.median_ms is None or pace.slow_ms is None:
        return f"{pace.came:,} came in the last 5 min"
    return f"{pace.came:,} came in the last 5 min, half settled within {pace.median_ms:,} ms, 95 % {pace.slow_ms:,} ms"


def reasons(now: QueueNow) -> Iterator[dict[str, object]]:
    """What is open and what is parked, by state and reason."""
    for group in now.groups:
        yield {
            "state": group.state,
            "reason": group.reason,
            "events": group.count,
            "oldest_s": group.oldest_s,
            "next_try": group.next_at,
        }
    for parked in now.parked:
        age_s = round((now.as_of - parked.oldest_at).total_seconds())
        yield {
            "state": "parked",
            "reason": parked.reason,
            "events": parked.count,
            "oldest_s": max(0, age_s),
            "next_try": None,
        }


def parts(now: QueueNow) -> Iterator[dict[str, object]]:
    """Who works, and the canary of each queue."""
    for sign in now.parts:
        yield {
            "part": sign.kind,
            "name": sign.name,
            "state": "late" if now.silent(sign) else "ok",
            "seen_s_ago": sign.age_s,
            "detail": ", ".join(
                f"{name} {value}" for name, value in sorted(sign.detail.items()) if _tells(name, value)
            ),
        }
    for canary in now.canaries:
        yield {
            "part": "canary",
            "name": canary.queue,
            "state": "late" if canary.late else "ok",
            "seen_s_ago": canary.age_s,
            "detail": "never came back" if canary.took_ms is None else f"in {canary.took_ms} ms",
        }


def _tells(name: str, value: object) -> bool:
    return name != "pid" and value is not None


def as_object(now: QueueNow, troubles: Sequence[Trouble]) -> dict[str, object]:
    """Everything as one object; counts are of events unless `units` says transactions and accounts."""
    return {
        "as_of": now.as_of,
        "troubles": [asdict(trouble) for trouble in troubles],
        "waiting": now.waiting,
        "in_flight": now.in_flight,
        "scheduled": now.scheduled,
        "parked": now.parked_count,
        "oldest_s": now.oldest_s,
        "today": {"received": now.today.received, "done": now.today.done, "open": now.today.open},
        "pace": asdict(now.pace),
        "units": asdict(now.units),
        "broker": {"away": now.broker.away, "waiting": now.depths.waiting, "held": now.depths.unacked},
        "reasons": list(reasons(now)),
        "parts": list(parts(now)),
        "refused_last_hour": {f"{row.gateway} {row.reason}": row.count for row in now.refusals},
    }
