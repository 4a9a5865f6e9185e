"""What a person does with a transaction, and the words the Gateway has for what goes wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from simulator.table import Table

#: What a person may do, with the error the transaction ends in: code and message.
ERRORS: Mapping[str, tuple[int, str] | None] = {
    "completes": None,
    "never": None,
    "leaves-after-login": None,
    "closes-login": (1011, "user_cancelled"),
    "closes-after-login": (1012, "user_cancelled"),
    "logs-in-as-another": (1001, "user_mismatch"),
    "denies-consent": (1003, "consent_denied"),
    "has-no-broker": (1006, "no_broker"),
    "fails": (2000, "internal_error"),
    "times-out": (4003, "timed_out"),
    "is-queued": (4005, "order_in_queue"),
}
DOES = tuple(ERRORS)
LATE_ORDER = frozenset({"times-out", "is-queued"})  #: an order comes all the same, later
NO_LOGIN = frozenset({"closes-login", "has-no-broker", "logs-in-as-another", "denies-consent"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act; symbols name legs."""

    does: str = "completes"
    edits: Mapping[str, int] = field(default_factory=dict)  #: quantities changed on the review screen
    turns: Sequence[str] = ()  #: sides changed there
    fills: Mapping[str, int] = field(default_factory=dict)  #: how much is filled, if not all
    rejects: Sequence[str] = ()
    unplaced: Sequence[str] = ()
    limit: bool = False
    after_s: float = 30.0  #: from placed to filled
    withheld: bool = False  #: none of its webhooks is ever sent


def read_act(table: Table) -> Act:
    """The act that a step or a request describes. Raises `BadTableError`."""
    return Act(
        does=table.text("does", "completes", among=DOES),
        edits=table.counts("edits"),
        turns=table.texts("turns"),
        fills=table.counts("fills"),
        rejects=table.texts("rejects"),
        unplaced=table.texts("unplaced"),
        limit=table.flag("limit", otherwise=False),
        after_s=table.number("after_s", 30),
        withheld=table.flag("withheld", otherwise=False),
    )
