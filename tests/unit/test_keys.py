"""Key settings."""

from config.keys import parse_keys


def test_a_key_has_an_id_and_a_secret() -> None:
    """The secret is everything after the first colon."""
    (key,) = parse_keys("k1:a:b")

    assert (key.key_id, key.secret) == ("k1", b"a:b")
