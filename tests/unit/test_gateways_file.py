"""The file that names several gateways is read strictly: what nobody reads or cannot be meant is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.gateways import SettingsError, gateways_in

EXAMPLE = Path(__file__).parents[2] / "config" / "gateways.example.toml"
GOOD = '[[gateway]]\nname = "acme"\nurl = "https://api.example"\nsecrets_setting = "A"\napi_secrets_setting = "B"\n'


def _secret(name: str, _: Path) -> str:
    return f"k1:the-secret-of-{name}"


def test_the_example_is_read_and_keeps_each_gateways_own_limits() -> None:
    """Two gateways: one live with a public address, one of staging whose book is test."""
    acme, trial = gateways_in(EXAMPLE, _secret)
    assert (acme.name, acme.book, acme.rate_per_s, acme.public_url) == ("acme", "live", 8, "https://hooks.acme.example")
    assert (trial.name, trial.book, trial.rate_per_s, trial.public_url) == ("acme-trial", "test", 2, None)
    assert trial.webhook_path == "/webhooks/acme-trial"
    assert acme.secrets[0].fingerprint != trial.secrets[0].fingerprint


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (GOOD + "rates = 4\n", "nobody reads rates"),
        (GOOD + 'rate = "fast"\n', "whole number"),
        (GOOD + "rate = 0\n", "whole number"),
        (GOOD + "at_once = true\n", "whole number"),
        (GOOD + 'book = "play"\n', "live or test"),
        (GOOD + "public_url = 7\n", "as text"),
        (GOOD.replace("https://", ""), "with https://"),
        (GOOD.replace('name = "acme"\n', ""), "no name"),
        (GOOD.replace('name = "acme"', 'name = "a/b"'), "only letters"),
        (GOOD.replace("[[gateway]]", "[gateway]"), "its own"),
        (GOOD.replace("[[gateway]]", "[[gateways]]"), "its own"),
        ("= 1", "line 1"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(text: str, says: str, tmp_path: Path) -> None:
    """The message names the file and the fix, and no secret."""
    (tmp_path / "gateways.toml").write_text(text)
    with pytest.raises(SettingsError, match=says) as refused:
        gateways_in(tmp_path / "gateways.toml", _secret)
    assert "the-secret-of" not in str(refused.value)


def test_a_missing_file_names_no_gateway(tmp_path: Path) -> None:
    """The file is only for those who have several."""
    assert gateways_in(tmp_path / "none.toml", _secret) == ()
