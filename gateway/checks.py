"""What is asked of a webhook, taken from the settings: caps, formulas, age."""

from __future__ import annotations

from config.settings import Settings, SettingsError
from gateway.shapes import Family
from gateway.strict import Reader
from gateway.verify import BadFormulaError, Checks, Formula, formula


def checks_from(settings: Settings) -> Checks:
    """The checks by the settings. Raises `SettingsError`."""
    return Checks(
        reader=Reader(max_depth=settings.json_max_depth, max_digits=settings.number_max_digits),
        formulas={
            Family.ORDERS: _formula("CHECKSUM_ORDERS", settings.checksum_orders),
            Family.HOLDINGS: _formula("CHECKSUM_HOLDINGS", settings.checksum_holdings),
            Family.MF_HOLDINGS: _formula("CHECKSUM_MF_HOLDINGS", settings.checksum_mf_holdings),
        },
        max_age=settings.webhook_max_age,
    )


def _formula(name: str, text: str) -> Formula:
    try:
        return formula(text)
    except BadFormulaError as error:
        raise SettingsError(f"TIEOUT_{name}: {error}") from None
