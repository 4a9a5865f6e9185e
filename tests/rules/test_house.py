"""What the files around the source promise: process types, queues, locks, written pages."""

from __future__ import annotations

import re
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from config import queues
from config.document import stale
from config.settings import Settings

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock")


def _processes() -> dict[str, str]:
    lines = (ROOT / "Procfile").read_text().splitlines()
    return {name: command.strip() for name, _, command in (line.partition(":") for line in lines)}


def test_each_process_type_is_there_and_replaces_its_shell() -> None:
    """Five types, one a line; `exec` hands signals to the process itself."""
    processes = _processes()

    assert list(processes) == ["release", "edge", "worker", "beat", "console"]
    assert all(command.startswith("exec ") for command in processes.values())


@pytest.mark.parametrize("name", ["release", "edge", "worker", "beat", "console"])
def test_each_process_type_can_be_started(name: str) -> None:
    """The module that a process type names exists as a program."""
    module = _processes()[name].split(" -m ")[1].split()[0]

    assert find_spec(module if "." in module else f"{module}.__main__")


def test_every_queue_is_consumed() -> None:
    """The worker takes from every queue that anybody may send to."""
    named = {value for name, value in vars(queues).items() if name.endswith("_QUEUE")}

    assert named == set(queues.QUEUES)
    assert '"--queues", ",".join(QUEUES)' in (ROOT / "worker" / "__main__.py").read_text()


def test_the_worker_settings_leave_room_between_the_limits() -> None:
    """A call ends before its task, and a task before its lease."""
    settings = Settings.model_construct()

    assert settings.call_deadline_s < settings.task_limit_s < settings.lease_s


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_versions_and_hashes_and_no_host(lock: str) -> None:
    """Anybody's package index may serve what is locked."""
    text = (ROOT / lock).read_text()
    pins = re.findall(r"^[a-z0-9][^ ]*", text, flags=re.MULTILINE)

    assert not re.search(
        r"://|^ *(-i|-f|--index-url|--extra-index-url|--find-links|--trusted-host)", text, re.MULTILINE
    )
    assert all("==" in pin for pin in pins)
    assert text.count("--hash=sha256:") >= len(pins)


def test_the_lock_holds_every_dependency_at_its_version() -> None:
    """What the project asks for is what is locked."""
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    locked = (ROOT / "requirements.lock").read_text()
    pins = [re.sub(r"\[.*?\]", "", line) for line in asked]

    assert [pin for pin in pins if f"\n{pin} \\" not in locked] == []


def test_the_written_pages_are_current() -> None:
    """docs/settings.md and .env.example are what `make docs` would write now."""
    assert list(stale(ROOT)) == []


def test_nothing_names_a_folder_of_this_machine() -> None:
    """No page, script or source tells where somebody had the project."""
    files = [path for pattern in ("*.py", "*.md", "Makefile", "Procfile") for path in ROOT.rglob(pattern)]
    own = [path for path in files if not {".venv", ".tieout", "build"} & set(path.relative_to(ROOT).parts)]

    assert [str(path) for path in own if path != Path(__file__) and str(ROOT) in path.read_text()] == []
