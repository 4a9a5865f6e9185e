"""`tieout match`, `tieout explain` and `tieout rules`, as one calls them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from cli import context
from cli.explain import explain
from cli.match import match
from cli.rules import rules as rules_command
from tests.builders import EVENING, a_batch, a_leg, a_transaction, an_answer, our_line, rules, store_snapshot
from tieout.reconcile import reconcile
from tieout.state import refresh

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(name="tie", autouse=True)
def _tie(engine: Engine) -> None:
    """Two legs and two lines of ours of other sizes, all four paisa apart; nobody can tell which is which."""
    legs = [a_leg(quantity=6, filledQuantity=6, exchangeOrderId=name) for name in ("N1", "N2")]
    with engine.begin() as connection:
        txn = a_transaction(connection)
        store_snapshot(connection, txn, an_answer(a_batch(*legs)))
        for order_id, quantity in (("O1", 6), ("O2", 5)):
            size: dict[str, Any] = {"quantity": Decimal(quantity), "filled": Decimal(quantity)}
            our_line(
                connection,
                txn,
                legs[0],
                order_id=order_id,
                exchange_order_id=None,
                average_price=Decimal("420.14"),
                **size,
            )
        refresh(connection, txn=txn, now=EVENING, rules=rules())
        reconcile(connection, txns=[txn], now=EVENING, rules=rules())


def _match(*arguments: str) -> Result:
    return CliRunner().invoke(match, arguments)


def test_a_decision_is_taken_listed_and_undone() -> None:
    """Each step says what it did; what is undone stays in the list of all."""
    taken = _match("together", "O1", "N2", "--why", "trade book", "--who", "asha")
    listed = json.loads(_match("list", "--json").output)
    undone = _match("undo", str(listed["decision"]), "--why", "another was meant", "--who", "ravi")

    assert "O1 and N2 are together; judged anew" in taken.output
    assert (listed["ours"], listed["theirs"], listed["who"], listed["undone_at"]) == ("O1", "N2", "asha", None)
    assert (undone.exit_code, _match("list").stdout) == (0, "")
    assert json.loads(_match("list", "--all", "--json").output)["undone_by"] == "ravi"


def test_what_cannot_be_decided_is_a_wrong_call() -> None:
    """One line that says what there is, and exit status 2."""
    result = _match("apart", "O1", "N7", "--why", "a slip")

    assert result.exit_code == 2
    assert "its legs are: N1, N2" in result.output


def test_an_order_is_explained_to_people_and_to_machines() -> None:
    """Why nobody was chosen, and who the candidates were."""
    told = CliRunner().invoke(explain, ["O1"])
    row = json.loads(CliRunner().invoke(explain, ["N1", "--json"]).output)
    nobody = CliRunner().invoke(explain, ["O7"])

    assert "several lines could be this one, so none was chosen" in told.output
    assert "not N1: it is as good as another, and nobody guesses" in told.output
    assert [order["theirs"] for order in row["orders"]] == [["N1"]]
    assert (nobody.exit_code, "no order or transaction has the id 'O7'" in nobody.output) == (2, True)


def test_two_rule_sets_are_compared_on_one_day() -> None:
    """After the tie is settled, the slack of a file forgives four paise a share."""
    _match("together", "O1", "N2", "--why", "trade book")
    lax = Path(context.settings().home) / "lax@1.toml"
    lax.write_text('name = "lax"\nversion = 1\n[slack]\nrupees = "0.05"\n')

    arguments = ["compare", "default", str(lax), "--date", "2026-11-20", "--json"]
    *differences, whole = map(json.loads, CliRunner().invoke(rules_command, arguments).stdout.splitlines())

    assert [(d["subject"], d["was"], d["becomes"]) for d in differences] == [
        ("O1", "price-out", "matched-in-tolerance")
    ]
    assert whole["second"] == {"name": "lax@1", "by_slack": 2, "slack_inr": "0.33"}
