"""What a person decided about two lines, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ruling(StrEnum):
    """What a person decided about two lines."""

    TOGETHER = "together"
    APART = "apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's word on one line of ours and one of theirs, by their natural keys; not undone."""

    ruling: Ruling
    ours: str  #: order_id
    theirs: str  #: as `recon.keys.their_keys` names a leg
    who: str = ""
    why: str = ""
    ref: str = ""  #: the decision's number, for evidence
