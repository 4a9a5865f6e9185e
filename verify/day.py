"""Verifying a closed day, step by step."""

from __future__ import annotations

from datetime import date

from verify.closes import Close, check_chain, find_close
from verify.database import Reader
from verify.digest import check_digest
from verify.findings import check_findings
from verify.holdings import check_holdings
from verify.lines import Bound, check_lines
from verify.report import Report, Tell
from verify.seals import check_sealed
from verify.told import every
from verify.totals import Totals, check_totals

EVERY = 5_000  #: transactions between two words about progress


def verify(
    reader: Reader,
    *,
    day: date,
    tell: Tell,
    gateway: str | None = None,
    book: str | None = None,
    version: int | None = None,
    root: str | None = None,
) -> tuple[Close, Report]:
    """Whether a closed day is what was signed, and says what its evidence says.

    `root` is the root as somebody wrote it down. Raises `NotClosedError`.
    """
    report = Report()
    close = find_close(reader, day=day, gateway=gateway, book=book, version=version)
    tell("the close and the one before it")
    check_chain(reader, close, report, expected=root)
    check_sealed(reader, close, report, tell)
    _check_transactions(reader, close, report, tell)
    tell("holdings")
    check_holdings(reader, close, report)
    tell("the digest")
    check_digest(reader, close, report)
    return close, report


def _check_transactions(reader: Reader, close: Close, report: Report, tell: Tell) -> None:
    totals, bound = Totals(close.day), Bound.of(close.rules)
    tell("transactions")
    for number, told in enumerate(every(reader, close), start=1):
        check_lines(told, bound, report)
        check_findings(told, report)
        totals.add(told)
        if number % EVERY == 0:
            tell(f"transactions: {number:,}")
    check_totals(reader, close, totals, report)
