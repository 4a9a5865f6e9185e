"""Rule sets are files: versioned, checked whole, and named on every verdict."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from config.rulesets import BadRuleSetError, find_rule_set, read_rule_set, rule_sets
from config.settings import Settings
from recon.tolerance import bound_at
from recon.values import Policy
from tieout.rules import policy_from

GOOD = """
name = "ours"
version = 2
[slack]
ticks = "1"
cap_rupees = "5"
[grace]
webhook_minutes = 20
"""


def written(folder: Path, text: str, name: str = "ours@2.toml") -> Path:
    """The text as a file."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_the_default_set_is_the_policy_the_rules_assume() -> None:
    """What ships as default forgives nothing beyond rounding."""
    policy = find_rule_set("default").policy

    assert policy == Policy(name="default@1")
    assert {each.name for each in rule_sets()} >= {"default@1", "one-tick@1"}


def test_a_file_says_only_what_is_unlike_the_usual(tmp_path: Path) -> None:
    """What it leaves out is as the default has it; its name and version go with every verdict."""
    policy = read_rule_set(written(tmp_path, GOOD)).policy

    assert (policy.name, policy.slack_ticks, policy.slack_cap) == ("ours@2", Decimal(1), Decimal(5))
    assert (policy.webhook_grace, policy.open_grace) == (timedelta(minutes=20), timedelta(minutes=30))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = 'ours'", "version = None: a version: a whole number from 1 on"),
        (GOOD.replace('"1"', "'-1'"), r"\[slack\] ticks = '-1': a number from 0 on, in quotes"),
        (GOOD.replace("ticks", "tick"), r"\[slack\] tick means nothing: use bps, cap_rupees, rupees, ticks"),
        (GOOD + "[precison]\nour_price = 4", "precison means nothing here: use books, grace, name, precision"),
        (GOOD.replace("version = 2", "version = 3"), "the file holds ours@3: call it ours@3.toml"),
        (GOOD + "[books]\ndue = '25:00'", r"\[books\] due = '25:00': an hour of the day in IST"),
        ("name = ", "Invalid value"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_the_fix(tmp_path: Path, text: str, says: str) -> None:
    """A word mistyped must not be a rule forgotten."""
    with pytest.raises(BadRuleSetError, match=says):
        read_rule_set(written(tmp_path, text))


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    """Not the first of it only."""
    with pytest.raises(BadRuleSetError) as caught:
        read_rule_set(written(tmp_path, "name = 'O'\nversion = 0\n[precision]\nour_price = 9\n"))

    assert len(str(caught.value).splitlines()) == 3


def test_a_name_that_is_no_rule_set_tells_which_there_are() -> None:
    """As it stands in the setting."""
    with pytest.raises(BadRuleSetError, match=r"there is no rule set 'lax': .* default@1"):
        find_rule_set("lax")


def test_a_single_setting_replaces_and_the_name_says_so() -> None:
    """A verdict never bears the name of a rule set that it was not judged by."""
    policy = policy_from(Settings(price_slack=Decimal("0.05")), find_rule_set("default").policy)

    assert (policy.name, policy.price_slack) == ("default@1+price_slack=0.05", Decimal("0.05"))
    assert policy_from(Settings(), find_rule_set("default").policy).name == "default@1"


def test_slack_adds_up_and_is_capped_in_rupees() -> None:
    """A tick and a hundredth of a percent, but never more than five rupees on the whole line."""
    policy = Policy(slack_ticks=Decimal(1), slack_bps=Decimal(1), slack_cap=Decimal(5))
    few = bound_at(policy, filled=Decimal(10), price=Decimal(1500), tick=Decimal("0.05"))
    many = bound_at(policy, filled=Decimal(100), price=Decimal(1500), tick=Decimal("0.05"))
    unknown = bound_at(policy, filled=Decimal(10), price=Decimal(1500), tick=None)

    assert (few.rounding, few.slack) == (Decimal("0.01"), Decimal("0.20"))
    assert (many.slack, unknown.slack) == (Decimal("0.05"), Decimal("0.15"))
    assert few.slack_used(Decimal("-0.06")) == Decimal("0.05")
