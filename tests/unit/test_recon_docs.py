"""docs/breaks.md speaks of every name and every rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from recon.judge import (
    BATCH_RULES,
    CHAIN_RULES,
    COPY_RULES,
    LINE_RULES,
    TRANSACTION_RULES,
    UNPLACED_RULES,
    WEBHOOK_RULES,
    rule_name,
)
from recon.names import CLASS_OF
from recon.severity import FLOOR
from recon.values import FindingClass

PAGE = (Path(__file__).parents[2] / "docs" / "breaks.md").read_text(encoding="utf-8")
HEADINGS = [line.removeprefix("## ") for line in PAGE.splitlines() if line.startswith("## ")]


def test_every_name_has_a_heading_in_the_order_of_the_table() -> None:
    """The page is the table: its order breaks ties between breaks of one severity."""
    assert HEADINGS[1:] == [*CLASS_OF]


def test_every_rule_is_named_on_the_page() -> None:
    """A finding's rule can be looked up."""
    of_lines = {*LINE_RULES, *UNPLACED_RULES, *COPY_RULES}
    rules: set[Callable[..., object]] = {*of_lines, *BATCH_RULES, *WEBHOOK_RULES, *CHAIN_RULES, *TRANSACTION_RULES}
    names = {rule_name(rule) for rule in rules}

    assert {name for name in names if f"`{name}`" not in PAGE} == set()


def test_every_break_has_a_severity_it_never_falls_below() -> None:
    """What is only pending or a note has none, because it is always info."""
    assert {*FLOOR} == {name for name, kind in CLASS_OF.items() if kind is FindingClass.BREAK}
