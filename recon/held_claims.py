"""What a webhook said an account holds, beside the answer that was asked for after it: the same, or in what not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

COMPARED: Final = "v2"  #: an older form leaves out what belongs to smallcases, and names no ISIN
SHOWN: Final = 400  #: characters of a listing

Row = Mapping[str, Decimal]  #: quantities by their names; one that was not said is not in it


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldSaid:
    """One side: the securities it names, by ISIN, else by ticker, each with the quantities it states."""

    version: str | None
    as_at: datetime | None  #: as of when it says they are held
    rows: Mapping[str, Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldClaim:
    """One verified holdings webhook, and the first whole answer that was asked for after it had come."""

    event_id: str
    received_at: datetime
    said: HeldSaid
    answer: HeldSaid
    answer_ref: str
    answered_at: datetime  #: when we knew, by the domain's clock

    @property
    def comparable(self) -> bool:
        """Whether the answer may be held against it: not if it is of a later instant, when more may have happened.

        One that claims to be of a later instant than the Gateway's own last snapshot is compared all the same.
        """
        if not self.said.version == self.answer.version == COMPARED:
            return False
        return self.answer.as_at is None or self.answer.as_at <= (self.said.as_at or self.received_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDifference:
    """In what a webhook and the answer differ: `securities` that one of them names alone, or one quantity."""

    field: str
    ours: str  #: what the webhook says
    theirs: str  #: what the answer says
    difference: Decimal | None


def differences(claim: HeldClaim) -> Iterator[HeldDifference]:
    """What the webhook says and the answer does not confirm, one for each quantity over all securities."""
    said, answered = claim.said.rows, claim.answer.rows
    alone, missing = sorted(said.keys() - answered.keys()), sorted(answered.keys() - said.keys())
    if alone or missing:
        yield HeldDifference(field="securities", ours=_listed(alone), theirs=_listed(missing), difference=None)
    both = sorted(said.keys() & answered.keys())
    names = sorted({name for key in both for name in said[key].keys() & answered[key].keys()})
    for name in names:
        apart = [key for key in both if name in said[key] and name in answered[key]]
        apart = [key for key in apart if said[key][name] != answered[key][name]]
        if apart:
            yield HeldDifference(
                field=name,
                ours=_listed(f"{key} {_plain(said[key][name])}" for key in apart),
                theirs=_listed(f"{key} {_plain(answered[key][name])}" for key in apart),
                difference=sum((said[key][name] - answered[key][name] for key in apart), Decimal(0)),
            )


def _listed(words: Iterable[str]) -> str:
    return ("; ".join(words) or "none")[:SHOWN]


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"
