"""The mapping of the company's status words."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.statuses import BadStatusesError, read_statuses


def test_own_words_are_added_to_the_known_ones(tmp_path: Path) -> None:
    """A file of one word leaves the Gateway's own words as they are."""
    file = tmp_path / "statuses.toml"
    file.write_text('[statuses]\nin_market = "placed"\n')

    words = read_statuses(file)

    assert words["IN MARKET"] == "PLACED"
    assert words["COMPLETE"] == "COMPLETE"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[statuses]\nX = "MAYBE"\n', "use one of"),
        ("[statuses]\nX = 1\n", "use one of"),
        ("statuses = 1\n", r"\[statuses\]"),
        ("[statuses\n", "statuses.toml"),
    ],
)
def test_a_wrong_mapping_says_what_to_write(tmp_path: Path, text: str, says: str) -> None:
    """Every mistake names the file and the fix."""
    file = tmp_path / "statuses.toml"
    file.write_text(text)

    with pytest.raises(BadStatusesError, match=says):
        read_statuses(file)


def test_a_missing_mapping_names_its_setting(tmp_path: Path) -> None:
    """The message says which setting points there."""
    with pytest.raises(BadStatusesError, match="TIEOUT_STATUSES_FILE"):
        read_statuses(tmp_path / "none.toml")
