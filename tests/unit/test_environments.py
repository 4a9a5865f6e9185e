"""Production keys stay in production, and play money out of the money totals."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.keys import parse_keys
from config.settings import Settings, SettingsError, load_settings

PRODUCTION, STAGING = "https://gatewayapi.smallcase.com", "https://gatewayapi.stag.smallcase.com"
KEY = "k1:a-secret-of-ours"
FINGERPRINT = parse_keys(KEY)[0].fingerprint


@pytest.fixture(autouse=True)
def _keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, and one gateway with one key."""
    for name in [f"TIEOUT_{field.upper()}" for field in Settings.model_fields]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TIEOUT_GATEWAY_NAME", "acme")
    monkeypatch.setenv("TIEOUT_GATEWAY_API_SECRETS", KEY)


@pytest.mark.parametrize(
    ("listed", "url"),
    [("TIEOUT_PRODUCTION_KEYS", STAGING), ("TIEOUT_STAGING_KEYS", PRODUCTION)],
    ids=["a production key at staging", "a staging key at production"],
)
def test_a_key_of_the_other_environment_is_refused_at_the_start(
    listed: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the key by id and fingerprint, both ways out, and never the secret."""
    monkeypatch.setenv(listed, f"00000000 {FINGERPRINT.upper()}")
    monkeypatch.setenv("TIEOUT_GATEWAY_URL", url)

    with pytest.raises(SettingsError, match=rf"k1 \({FINGERPRINT}\)") as refused:
        load_settings()

    assert "a-secret-of-ours" not in str(refused.value)


@pytest.mark.parametrize("url", [PRODUCTION, "http://127.0.0.1:8090"])
def test_a_key_in_its_place_is_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A listed key counts at its own host, and at a host that nobody published."""
    monkeypatch.setenv("TIEOUT_PRODUCTION_KEYS", FINGERPRINT)
    monkeypatch.setenv("TIEOUT_GATEWAY_URL", url)

    assert load_settings().gateway("acme").url == url


@pytest.mark.parametrize(("url", "book"), [(PRODUCTION, "live"), (STAGING, "test"), (STAGING + ":443/", "test")])
def test_staging_keeps_a_book_of_its_own(url: str, book: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a staging host sends is play money: it never enters the totals."""
    monkeypatch.setenv("TIEOUT_GATEWAY_URL", url)

    assert load_settings().gateway("acme").book == book


def test_a_gateway_of_the_file_is_held_to_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several gateways are each checked, and staging among them keeps the book `test`."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "gateways.toml").write_text(
        f'[[gateway]]\nname = "trial"\nurl = "{STAGING}"\nbook = "live"\n'
        'secrets_setting = "TRIAL_JWT"\napi_secrets_setting = "TRIAL_API"\n'
    )
    monkeypatch.setenv("TRIAL_JWT", "t1:another")
    monkeypatch.setenv("TRIAL_API", KEY)

    assert load_settings().gateway("trial").book == "test"
    monkeypatch.setenv("TIEOUT_PRODUCTION_KEYS", FINGERPRINT)
    with pytest.raises(SettingsError, match="gateway trial"):
        load_settings()
