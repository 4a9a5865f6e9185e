"""When a transaction is asked for again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tieout.follow import Standing, next_ask

REGISTERED = datetime(2026, 1, 14, 4, 0, tzinfo=UTC)
EXPIRES = REGISTERED + timedelta(minutes=5)
JUST_AFTER = EXPIRES + timedelta(seconds=1)
GRACE = timedelta(minutes=30)
M, H, D = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def a_standing(status: str | None, **changed: object) -> Standing:
    """A known transaction that expires five minutes after its registration."""
    standing = Standing(status=status, registered_at=REGISTERED, expire_at=EXPIRES, intent="TRANSACTION")
    return replace(standing, **changed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("standing", "asked_on", "expected"),
    [
        (a_standing("INITIALIZED"), REGISTERED, JUST_AFTER),
        (a_standing("INITIALIZED"), EXPIRES, JUST_AFTER),
        (a_standing("INITIALIZED"), JUST_AFTER, None),
        (a_standing("INITIALIZED", expire_at=None), REGISTERED, JUST_AFTER),
        (a_standing("USED"), REGISTERED, JUST_AFTER),
        (a_standing("USED"), JUST_AFTER, JUST_AFTER + H),
        (a_standing("PROCESSING", placed=True, batches=True), JUST_AFTER + 5 * H, JUST_AFTER + 6 * H),
        (a_standing("PROCESSING", placed=True, batches=True), EXPIRES + 4 * D, EXPIRES + 5 * D),
        (a_standing("SETTLING"), JUST_AFTER, JUST_AFTER + H),
        (a_standing("COMPLETED", final=True, batches=True), JUST_AFTER, None),
        (a_standing("COMPLETED", batches=True), JUST_AFTER, None),
        (a_standing("COMPLETED", batches=True, placed=True), JUST_AFTER, JUST_AFTER + H),
        (a_standing("COMPLETED", intent="CONNECT"), JUST_AFTER, None),
        (a_standing("COMPLETED"), JUST_AFTER, JUST_AFTER + H),
        (a_standing("COMPLETED"), EXPIRES + D + M, None),
        (a_standing("ERRORED", final=True), JUST_AFTER, None),
        (a_standing("ERRORED"), JUST_AFTER, JUST_AFTER + H),
        (a_standing("ERRORED"), EXPIRES + D + M, None),
        (a_standing("EXPIRED"), JUST_AFTER, None),
        (a_standing("COMPLETED", settled=False), JUST_AFTER, JUST_AFTER),
    ],
    ids=str,
)
def test_it_is_asked_again_until_its_end(standing: Standing, asked_on: datetime, expected: datetime | None) -> None:
    """Just after its expiry, then hourly, then daily; an end that shows nothing is doubted for a day."""
    assert next_ask(standing, asked_on=asked_on, grace=GRACE) == expected


def test_what_the_api_does_not_know_is_asked_for_three_times_over_the_grace() -> None:
    """Half the grace apart; the third absence after the whole grace is the last."""
    asked: list[datetime] = []
    at: datetime | None = REGISTERED
    while at is not None:
        asked.append(at)
        at = next_ask(a_standing(None, known=False, absent_at=tuple(asked)), asked_on=at, grace=GRACE)
    assert asked == [REGISTERED, REGISTERED + GRACE / 2, REGISTERED + GRACE]
