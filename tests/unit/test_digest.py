"""The fingerprint of a day."""

from decimal import Decimal
from itertools import permutations

from recon.digest import Said, TiedFinding, TiedLine, digest


def _said(name: str = "price-out", tolerance: str | None = "0.01") -> Said:
    return Said(
        name=name,
        field="price",
        ours="420.1",
        theirs="420.2",
        tolerance=None if tolerance is None else Decimal(tolerance),
    )


LINES = (
    TiedLine(ours=("O1",), theirs=("TRX_1", "B", "1"), bucket="matched"),
    TiedLine(ours=("O2",), theirs=(), bucket="price-out", findings=(_said(), _said("side"))),
    TiedLine(ours=(), theirs=("TRX_1", "B", "2"), bucket="missing-internal"),
)
FINDING = TiedFinding(transaction_id="TRX_1", level="batch", subject="B", said=_said("amount-sum"))


def test_the_order_in_which_lines_come_changes_nothing() -> None:
    """Every permutation of the same lines has one fingerprint."""
    assert len({digest(order, [FINDING]) for order in permutations(LINES)}) == 1


def test_the_order_of_a_lines_findings_changes_nothing() -> None:
    """Findings of a line are a set."""
    turned = TiedLine(ours=("O2",), theirs=(), bucket="price-out", findings=(_said("side"), _said()))

    assert digest([turned], []) == digest([LINES[1]], [])


def test_zeros_at_the_end_of_a_tolerance_change_nothing() -> None:
    """0.010000 out of a column and 0.01 out of a rule are one number."""
    one, other = (
        TiedLine(ours=("O",), theirs=(), bucket="b", findings=(_said(tolerance=t),)) for t in ("0.01", "0.010000")
    )

    assert digest([one], []) == digest([other], [])


def test_anything_that_is_said_changes_it() -> None:
    """Another bucket, another finding, a line less or a finding of a batch less give another fingerprint."""
    moved = TiedLine(ours=("O1",), theirs=("TRX_1", "B", "1"), bucket="matched-in-tolerance")
    days = [
        digest(LINES, [FINDING]),
        digest(LINES, []),
        digest(LINES[:2], [FINDING]),
        digest((moved, *LINES[1:]), [FINDING]),
        digest((*LINES, LINES[0]), [FINDING]),
    ]

    assert len(set(days)) == len(days)


def test_a_line_is_never_mistaken_for_a_finding_or_for_two_sides_swapped() -> None:
    """Ours without theirs is not theirs without ours, and no key runs into the next."""
    days = [
        digest([TiedLine(ours=("A",), theirs=(), bucket="b")], []),
        digest([TiedLine(ours=(), theirs=("A",), bucket="b")], []),
        digest([TiedLine(ours=("A", ""), theirs=(), bucket="b")], []),
        digest([TiedLine(ours=('A","',), theirs=(), bucket="b")], []),
    ]

    assert len(set(days)) == len(days)
