"""The rule set a judgement is made with: the policy, the exchange's calendar and its reference data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from config.calendar import exchange_calendar
from config.rulesets import find_rule_set
from config.settings import Settings
from recon.lines import plain_text
from recon.market import Market, UnknownMarket
from recon.values import Calendar, Policy
from tieout.holding_rules import HoldingRules, holding_rules

#: Settings that replace what the rule set says, by the fields of the policy they fill.
REPLACES = {
    "price_places": ("price_places_ours", "price_places_theirs"),
    "amount_places": ("amount_places",),
    "price_slack": ("price_slack",),
    "webhook_grace": ("webhook_grace",),
    "open_grace": ("open_grace",),
    "books_due": ("books_due",),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What judging needs besides the facts."""

    policy: Policy
    calendar: Calendar
    market: Market = field(default_factory=UnknownMarket)
    holdings: HoldingRules = field(default_factory=HoldingRules)


def rules_from(settings: Settings) -> Rules:
    """The rules that the settings name. Raises `BadRuleSetError`."""
    policy = policy_from(settings, find_rule_set(settings.rules).policy)
    return Rules(policy, exchange_calendar(), holdings=holding_rules(settings))


def policy_from(settings: Settings, policy: Policy) -> Policy:
    """The rule set, with what single settings replace; its name then says so, because verdicts keep it."""
    changes, said = dict[str, Any](), list[str]()
    for name, fields in REPLACES.items():
        value = getattr(settings, name)
        if name in settings.model_fields_set and any(getattr(policy, each) != value for each in fields):
            changes |= dict.fromkeys(fields, value)
            said.append(f"{name}={plain_text(value) if name == 'price_slack' else value}")
    return replace(policy, **changes, name="+".join((policy.name, *said)))
