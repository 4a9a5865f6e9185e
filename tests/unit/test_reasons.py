"""What the desk tells about each reason comes from the documentation, and nothing is left out there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tieout.desk.reasons import DOCS, TOLD, reasons, told_of

#: Names of alerts as the code raises them beside the reasons for which an event is parked.
RAISED = {
    "account-conflict", "breaker-open", "given-up", "keys-refused", "no-such-gateway", "not-judged",
    "status-moved-back", "unknown-shape", "no-transaction", "no-account",
}  # fmt: skip


@pytest.mark.parametrize("kind", TOLD)
def test_every_reason_says_what_it_means_and_what_to_do(kind: str) -> None:
    """Somebody on duty reads both beside the reason."""
    assert reasons(kind)
    assert all(told.means and told.todo for told in reasons(kind).values())


def test_every_refusal_that_the_edge_answers_is_explained() -> None:
    """The table of answers and the table of meanings name the same reasons."""
    answers = [
        line for line in (DOCS / "receiving.md").read_text().splitlines() if re.match(r"\| (40[01]|413|503) ", line)
    ]
    answered = {name for line in answers for name in re.findall(r"`([a-z][a-z0-9-]+)`", line)} - {"cannot-save"}

    assert answered == reasons("refused").keys() - {"unknown-gateway"}


def test_every_alert_is_explained() -> None:
    """Each name that is raised, and each reason for which an event is parked, stands in the table."""
    assert RAISED | reasons("parked").keys() == reasons("alert").keys()


def test_what_nobody_documents_has_no_meaning(tmp_path: Path) -> None:
    """Neither a strange name nor an installation without the documentation fails a page."""
    assert told_of("parked", "no-such-reason") is None
    assert told_of("parked", None) is None
    assert told_of("done", "busy") is None
    assert reasons("parked", tmp_path) == {}
