"""How holdings are read: what each broker's figures mean, and what the books' positions include."""

from __future__ import annotations

from dataclasses import dataclass, field

from config.brokers import Brokers, read_brokers
from config.settings import Settings
from recon.holdings.values import APART


@dataclass(frozen=True, slots=True)
class HoldingRules:
    """What reconciling holdings needs besides the facts."""

    brokers: Brokers = field(default_factory=read_brokers)
    exclusive: bool = True  #: nobody but the company trades in these accounts
    books_hold: frozenset[str] = frozenset(APART)


def holding_rules(settings: Settings) -> HoldingRules:
    """As the settings say. Raises `BadBrokersError`."""
    included = frozenset(settings.positions_include.replace(",", " ").split())
    return HoldingRules(exclusive=settings.accounts_exclusive, books_hold=included)
