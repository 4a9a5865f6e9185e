"""The way through the pages: a few groups on top, the pages of the present one below."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Pages that belong together: each an endpoint and its word; `within` are further endpoints of it."""

    word: str
    pages: tuple[tuple[str, str], ...]
    within: tuple[str, ...] = ()

    def __contains__(self, endpoint: str) -> bool:
        """Whether that endpoint is one of its pages."""
        return endpoint in self.within or any(endpoint == page for page, _ in self.pages)


GROUPS = (
    Group(
        word="Queue",
        pages=(
            ("overview.show", "Overview"),
            ("events.listed", "Events"),
            ("events.refused", "Refusals"),
            ("events.alerted", "Alerts"),
        ),
        within=("events.show",),
    ),
    Group(word="Gateways", pages=(("completeness.gateways", "Gateways"), ("completeness.show", "Completeness"))),
    Group(
        word="Day",
        pages=(("days.today", "Day"), ("reference.listed", "Reference data"), ("reference.sessions", "Sessions")),
        within=("days.show", "days.lines"),
    ),
    Group(
        word="Breaks",
        pages=(("breaks.listed", "Breaks"), ("breaks.explained", "Meanings")),
        within=("breaks.show", "transactions.show"),
    ),
    Group(word="Holdings", pages=(("holdings.listed", "Holdings"),), within=("holdings.show",)),
    Group(
        word="Accounts",
        pages=(("accounts.listed", "Accounts"), ("accounts.keys", "API keys")),
        within=("accounts.show",),
    ),
)


def section_of(endpoint: str | None) -> Group | None:
    """The group that the endpoint belongs to."""
    return next((group for group in GROUPS if endpoint and endpoint in group), None)
