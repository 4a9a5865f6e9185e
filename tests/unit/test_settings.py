"""Settings: where they come from and what is said when one is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config.document import main, page
from config.settings import Settings, SettingsError, load_settings


@pytest.fixture(name="folder", autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start in, and an environment that says nothing of tieout."""
    for name in [f"TIEOUT_{field.upper()}" for field in Settings.model_fields]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_nothing_set_is_enough_to_start() -> None:
    """Every setting has a default; with no gateway named there is none."""
    settings = load_settings()

    assert settings.gateways() == ()
    assert settings.database_url is None


def test_a_dot_env_file_is_read(folder: Path) -> None:
    """What `.env` says counts unless the environment says otherwise."""
    (folder / ".env").write_text("TIEOUT_EDGE_PORT=9090\n")

    assert load_settings().edge_port == 9090


def test_an_empty_address_is_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of `.env.example` left empty means embedded servers, not a server without a name."""
    monkeypatch.setenv("TIEOUT_DATABASE_URL", "")
    monkeypatch.setenv("TIEOUT_BROKER_URL", "")

    assert (load_settings().database_url, load_settings().broker_url) == (None, None)


@pytest.mark.parametrize("text", ["PT30M", "1800", "00:30:00"])
def test_a_duration_may_be_written_in_three_ways(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """ISO 8601, seconds and hours:minutes:seconds mean the same."""
    monkeypatch.setenv("TIEOUT_WEBHOOK_GRACE", text)

    assert load_settings().webhook_grace == timedelta(minutes=30)


def test_a_secret_may_lie_in_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that NAME_FILE names is read, its last line end taken away."""
    (folder / "secret").write_text("k1:s3cret\n")
    monkeypatch.setenv("TIEOUT_GATEWAY_NAME", "acme")
    monkeypatch.setenv("TIEOUT_GATEWAY_API_SECRETS_FILE", str(folder / "secret"))

    (key,) = load_settings().gateway("acme").api_secrets
    assert key.secret == b"s3cret"


def test_a_secret_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the setting and the file."""
    monkeypatch.setenv("TIEOUT_GATEWAY_SECRETS_FILE", "/nowhere/secret")

    with pytest.raises(SettingsError, match="TIEOUT_GATEWAY_SECRETS_FILE: cannot read /nowhere/secret"):
        load_settings()


def test_a_wrong_value_is_named_with_its_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message begins with the name that a person has to look for."""
    monkeypatch.setenv("TIEOUT_EDGE_PORT", "eighty")

    with pytest.raises(SettingsError, match=r"^TIEOUT_EDGE_PORT: "):
        load_settings()


def test_no_message_tells_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that cannot be read is named by its place, not shown."""
    monkeypatch.setenv("TIEOUT_GATEWAY_NAME", "acme")
    monkeypatch.setenv("TIEOUT_GATEWAY_SECRETS", "hunter2")

    with pytest.raises(SettingsError, match="TIEOUT_GATEWAY_SECRETS") as raised:
        load_settings()

    assert "hunter2" not in str(raised.value)


def test_several_gateways_come_from_a_file_without_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file names the settings that hold the secrets; `.env` may hold them as well."""
    gateways = folder / "gateways.toml"
    gateways.write_text(
        '[[gateway]]\nname = "second"\nurl = "https://gateway.example/"\n'
        'secrets_setting = "SECOND_SECRETS"\napi_secrets_setting = "SECOND_API_SECRETS"\n'
    )
    (folder / ".env").write_text("SECOND_API_SECRETS=a1:hooks\n")
    monkeypatch.setenv("SECOND_SECRETS", "j1:tokens")
    monkeypatch.setenv("TIEOUT_GATEWAYS_FILE", str(gateways))

    second = load_settings().gateway("second")
    assert (second.url, second.secrets[0].secret, second.api_secrets[0].secret) == (
        "https://gateway.example",
        b"tokens",
        b"hooks",
    )


def test_the_clock_can_be_moved_only_with_the_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """With real keys, a clock file is refused."""
    monkeypatch.setenv("TIEOUT_CLOCK_FILE", "clock")
    monkeypatch.setenv("TIEOUT_GATEWAY_NAME", "acme")
    monkeypatch.setenv("TIEOUT_GATEWAY_SECRETS", "k:jwt-secret")
    monkeypatch.setenv("TIEOUT_GATEWAY_API_SECRETS", "k:api-secret")

    with pytest.raises(SettingsError, match="TIEOUT_CLOCK_FILE"):
        load_settings()


def test_every_setting_is_documented() -> None:
    """The page names each setting, and each says what it is for."""
    written = page()

    assert all(f"`TIEOUT_{name.upper()}`" in written for name in Settings.model_fields)
    assert all(field.description for field in Settings.model_fields.values())


def test_a_page_that_is_not_current_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The check fails until the pages are written, then passes."""
    (folder / "docs").mkdir()
    before = main(["--check"])
    main([])

    assert (before, main(["--check"])) == (1, 0)
    assert "make docs" in capsys.readouterr().err
