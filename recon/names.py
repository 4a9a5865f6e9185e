"""The names of findings, in the order of docs/breaks.md, and what each asks of people."""

from __future__ import annotations

from recon.values import Finding, FindingClass

_BREAK = FindingClass.BREAK
_PENDING = FindingClass.PENDING
_NOTE = FindingClass.NOTE

#: Every name, in the order that breaks a tie between two breaks of one severity.
CLASS_OF: dict[str, FindingClass] = {
    "open-order": _PENDING,
    "webhook-late": _PENDING,
    "webhook-missed": _BREAK,
    "books-behind": _BREAK,  # pending while its grace lasts: see `class_of`
    "awaiting-books": _PENDING,
    "stale-open": _BREAK,
    "out-of-order": _NOTE,
    "missing-internal": _BREAK,
    "missing-external": _BREAK,
    "never-triggered": _NOTE,
    "dup-external": _BREAK,
    "dup-internal": _BREAK,
    "dup-execution": _BREAK,
    "unplaced": _BREAK,
    "qty-requested": _BREAK,
    "qty-filled": _BREAK,
    "partial-residual": _NOTE,
    "overfill": _BREAK,
    "batch-sum": _BREAK,
    "price-in-tol": _NOTE,
    "price-out": _BREAK,
    "price-absent": _BREAK,
    "price-implausible": _BREAK,
    "amount-sum": _BREAK,
    "side": _BREAK,
    "instrument": _BREAK,
    "alias": _NOTE,
    "exchange": _BREAK,
    "unmapped": _BREAK,
    "account": _BREAK,
    "status-conflict": _BREAK,
    "webhook-differs": _BREAK,
    "ambiguous": _BREAK,
    "unknown-enum": _BREAK,
    "regression": _BREAK,
    "batch-vs-lines": _BREAK,
    "trade-date": _BREAK,
    "zone-shift": _BREAK,
    "repair-chain": _NOTE,
    "over-repair": _BREAK,
    "orphan-repair": _BREAK,  # pending while a grace lasts: the other half may not have been heard of yet
    "repair-pending": _BREAK,
    "waived": _NOTE,
    "charge": _BREAK,
    "net": _BREAK,
    "note-missing": _BREAK,
    "note-diff": _BREAK,
    "payload-invalid": _BREAK,
    "unsettled-t1": _PENDING,
    "sold-today": _PENDING,
    "snapshot-age": _PENDING,
    "short-delivery": _BREAK,
    "pledged": _NOTE,
    "mtf": _NOTE,
    "blocked": _NOTE,
    "split": _NOTE,
    "bonus-pending": _BREAK,  # pending until it is due
    "ca-other": _BREAK,
    "ca-ratio": _BREAK,
    "off-platform": _NOTE,
    "off-platform-sale": _BREAK,
    "transfer": _BREAK,
    "attribution": _BREAK,
    "dup-listing": _NOTE,
    "isin-unmapped": _BREAK,
    "orphan-fill": _NOTE,  # its order break is the break
    "avg-cost": _BREAK,
    "broker-flag": _BREAK,
    "negative": _BREAK,
    "wrong-account": _BREAK,
    "unexplained": _BREAK,
}

#: While one of these is open, its day is not signed without a reason: what it hides cannot be known.
BLOCKING: frozenset[str] = frozenset({"unmapped", "isin-unmapped"})

#: Place of a name in that order.
ORDER: dict[str, int] = {name: place for place, name in enumerate(CLASS_OF)}

#: Buckets of a line that are not the name of a break.
MATCHED = "matched"
IN_TOLERANCE = "matched-in-tolerance"
PENDING = "pending"
EXCLUDED = "excluded"


def class_of(finding: Finding) -> FindingClass:
    """What this finding asks of people; a break whose grace still runs is only pending."""
    return _PENDING if finding.waiting else CLASS_OF[finding.name]
