"""How severe stored findings are as of one instant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import cache

from config.calendar import IST
from recon.severity import sessions_between, severity
from recon.values import Calendar, FindingClass
from store.desk_breaks import StoredFinding


def severity_as_of(now: datetime, calendar: Calendar) -> Callable[[StoredFinding], str]:
    """A function from a finding to its severity at that instant; age counts from its trade date.

    What an account holds differs until it is settled, from day to day: its age counts from the day it was found.
    A closed finding is as severe as it was on the day it was closed.
    """
    today = now.astimezone(IST).date()

    @cache
    def sessions(opened: date, until: date) -> int:
        return sessions_between(opened, until, calendar)

    def of(finding: StoredFinding) -> str:
        until = finding.closed_at.astimezone(IST).date() if finding.closed_at else today
        return severity(
            finding.name,
            kind=FindingClass(finding.finding_class),
            impact_inr=finding.impact_inr,
            critical=finding.critical,
            cause=finding.cause,
            age_sessions=sessions(_born(finding), until),
        ).value

    return of


def _born(finding: StoredFinding) -> date:
    return finding.trade_date if finding.account is None else finding.stands_since.astimezone(IST).date()
