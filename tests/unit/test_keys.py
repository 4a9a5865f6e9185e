"""Key settings."""

import pytest

from config.keys import BadKeyError, parse_keys


def test_a_key_has_an_id_and_a_secret() -> None:
    """The secret is everything after the first colon."""
    (key,) = parse_keys("k1:a:b")

    assert (key.key_id, key.secret) == ("k1", b"a:b")


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    """Such a key would never be valid, and nobody would be told; its secret is not shown."""
    with pytest.raises(BadKeyError, match="ends before it begins") as raised:
        parse_keys("k1@2027-01-01/2026-01-01:hunter2")

    assert "hunter2" not in str(raised.value)
