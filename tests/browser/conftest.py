"""A console as people meet it: a real server process, a real browser, a told day."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests import desk_story

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
READY_S = 60
NO_BROWSER = (
    "NO CHROMIUM: every test of the pages in a browser is SKIPPED. Install it (apt-get install chromium)"
    " or name it in CHROMIUM."
)


def chromium() -> str | None:
    """Where Chromium is: named by CHROMIUM, else found on PATH."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(name="browser", scope="session")
def _browser() -> Iterator[Browser]:
    """A headless Chromium."""
    if (path := chromium()) is None:
        sys.stderr.write(f"\n{NO_BROWSER}\n")
        pytest.skip(NO_BROWSER)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(name="console_url", scope="session")
def _console_url(told_url: str, broker_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console over the told day, as `python -m console` serves it."""
    clock = tmp_path_factory.mktemp("console") / "clock"
    clock.write_text(desk_story.NOW.isoformat())
    port = _free_port()
    named = {
        "TIEOUT_DATABASE_URL": told_url,
        "TIEOUT_BROKER_URL": broker_url,
        "TIEOUT_CLOCK_FILE": str(clock),
        "TIEOUT_CONSOLE_PORT": str(port),
    }
    process = subprocess.Popen([sys.executable, "-m", "console"], env={**os.environ, **named}, start_new_session=True)
    try:
        yield _ready(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(30)


def _ready(url: str) -> str:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        try:
            with urlopen(f"{url}/livez", timeout=1):  # noqa: S310 our own address
                return url
        except (URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError(f"the console was not ready within {READY_S} s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
