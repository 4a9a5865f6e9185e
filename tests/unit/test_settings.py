"""Settings: where they come from and what is said when one is wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from config.bounds import out_of_order
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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIEOUT_EDGE_PORT", "99999"),
        ("TIEOUT_CONSOLE_PORT", "0"),
        ("TIEOUT_LEASE_S", "0"),
        ("TIEOUT_COMMIT_WAIT_S", "-1"),
        ("TIEOUT_DATABASE_URL", "mysql://u:hunter2@db/x"),
        ("TIEOUT_DATABASE_URL", "hunter2"),
        ("TIEOUT_BROKER_URL", "amqp://u:hunter2@mq"),
    ],
)
def test_a_value_that_cannot_be_meant_is_refused_at_the_start(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message begins with the setting's name and shows no password."""
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=f"^{name}") as raised:
        load_settings()

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("url", ["gateway.example", "ftp://gateway.example", "https://"])
def test_a_gateway_needs_an_address_that_can_be_called(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known at the start, and not by every call failing later."""
    monkeypatch.setenv("TIEOUT_GATEWAY_NAME", "acme")
    monkeypatch.setenv("TIEOUT_GATEWAY_URL", url)

    with pytest.raises(SettingsError, match="TIEOUT_GATEWAY_URL"):
        load_settings()


def test_each_limit_is_longer_than_the_one_within_it() -> None:
    """A call ends before its task, a task before its lease; else the settings to look at are named."""
    assert out_of_order(10, 45, 60) is None
    assert "TIEOUT_CALL_DEADLINE_S (50)" in (out_of_order(50, 45, 60) or "")
    assert "TIEOUT_LEASE_S (60)" in (out_of_order(10, 60, 60) or "")
