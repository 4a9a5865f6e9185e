"""The rule set a judgement is made with: the policy and the exchange's calendar."""

from __future__ import annotations

from dataclasses import dataclass

from config.calendar import exchange_calendar
from config.settings import Settings
from recon.values import Calendar, Policy


@dataclass(frozen=True, slots=True)
class Rules:
    """What judging needs besides the facts."""

    policy: Policy
    calendar: Calendar


def rules_from(settings: Settings) -> Rules:
    """The rules that the settings name."""
    policy = Policy(
        price_places_ours=settings.price_places,
        price_places_theirs=settings.price_places,
        amount_places=settings.amount_places,
        price_slack=settings.price_slack,
        webhook_grace=settings.webhook_grace,
        open_grace=settings.open_grace,
        books_due=settings.books_due,
    )
    return Rules(policy, exchange_calendar())
