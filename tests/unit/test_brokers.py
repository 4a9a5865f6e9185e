"""What a broker's figures mean: golden rows, and a file that says why it cannot be read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from config.brokers import BadBrokersError, read_brokers
from recon.holdings.shown import total_of
from recon.holdings.values import ShownRow

#: As the Gateway's version 2 tells 112 shares: 90 delivered, 7 bought today, 5 of yesterday, 10 pledged.
GOLDEN = ShownRow(
    isin="INE009A01021",
    symbol="NSE:INFY",
    held=Decimal(90),
    t1=Decimal(5),
    nse=Decimal(7),
    pledged=Decimal(10),
    mtf=Decimal(30),
    blocked=Decimal(20),
)


@pytest.mark.parametrize(
    ("broker", "sold"), [("kite", "position"), ("KITE-leprechaun", "position"), (None, "fewer-held")]
)
def test_a_broker_goes_by_its_own_adapter(broker: str | None, sold: str) -> None:
    """Else by the default one; pledged and T1 are beside what is held, funded and blocked within."""
    adapter = read_brokers().adapter(broker)
    assert (adapter.sold, total_of(GOLDEN, adapter)) == (sold, Decimal(112))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('[kite]\nsold = "no"', "position, fewer-held"),
        ("[kite]\nsolt = 1", "'solt'"),
        ("kite = 1", "no table"),
        ("[", "brokers.toml"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, content: str, says: str) -> None:
    """With the entry and what to write."""
    file = tmp_path / "brokers.toml"
    file.write_text(content)
    with pytest.raises(BadBrokersError, match=says):
        read_brokers(file)


def test_what_a_file_says_of_one_broker_leaves_the_others(tmp_path: Path) -> None:
    """Counted within what is held, pledged shares are not added."""
    file = tmp_path / "brokers.toml"
    file.write_text('[dhan]\npledged = "in-held"\n')
    brokers = read_brokers(file)
    assert total_of(GOLDEN, brokers.adapter("dhan")) == Decimal(102)
    assert total_of(GOLDEN, brokers.adapter("kite")) == Decimal(112)
