"""The embedded servers: found or started, kept, ended; never an orphan."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from config.embedded import Server
from config.server_errors import ServerError
from config.servers import remove_home, start_broker, start_postgres
from config.valkey import Valkey

LIMIT_S = 30.0

HOLDER = """
import sys, time
from pathlib import Path
from config.servers import remove_home, start_broker, start_postgres
start = {"postgres": start_postgres, "valkey": start_broker}[sys.argv[1]]
server = start(Path(sys.argv[2]))
print(server.pid, flush=True)
time.sleep(120)
"""


@pytest.fixture(name="home")
def _home(servers_folder: Path, request: pytest.FixtureRequest) -> Path:
    """A folder of this test alone, with a space in its name, that PostgreSQL's own account can enter."""
    return servers_folder / str(request.node.name) / "a home"


@pytest.fixture(name="broker")
def _broker(home: Path) -> Iterator[Server]:
    """An embedded Valkey of its own."""
    server = start_broker(home / "valkey")
    yield server
    if psutil.pid_exists(server.pid):
        server.stop()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, "not within the limit"
        time.sleep(0.02)


def _gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _hold(kind: str, folder: Path) -> tuple[subprocess.Popen[str], int]:
    """Another process that started the server; with the server's process id."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, kind, str(folder)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert holder.stdout is not None
    with holder.stdout:
        return holder, int(holder.stdout.readline())


def test_a_started_server_answers_and_ends_with_its_only_user(home: Path) -> None:
    """PostgreSQL takes a session as soon as it is handed over, and is gone when it is let go of."""
    server = start_postgres(home / "postgres")
    with psycopg.connect(server.url) as connection:
        row = connection.execute("select current_setting('fsync'), inet_server_addr()::text").fetchone()
    pid = server.pid
    server.stop()

    assert row == ("on", "127.0.0.1/32")
    assert _gone(pid)


def test_data_and_address_outlive_a_restart_of_the_machine(home: Path) -> None:
    """What was committed is there after a stop and a start, at the same address."""
    first = start_postgres(home / "postgres")
    with psycopg.connect(first.url) as connection:
        connection.execute("create table kept (n int)")
    first.stop()
    second = start_postgres(home / "postgres")
    with psycopg.connect(second.url) as connection:
        row = connection.execute("select count(*) from kept").fetchone()
    second.stop()

    assert (row, second.url) == ((0,), first.url)


def test_a_running_server_is_found_and_not_started_twice(broker: Server) -> None:
    """The second user gets the first one's server."""
    found = start_broker(broker.folder)

    assert (found.started, found.pid, found.url) == (False, broker.pid, broker.url)
    found.stop()


def test_a_server_stays_until_its_last_user_lets_go(broker: Server) -> None:
    """Who started it may leave first: whoever found it keeps it."""
    found = start_broker(broker.folder)
    broker.stop()
    answers = Valkey().answers(found.url)
    pid = found.pid
    found.stop()

    assert answers
    assert _gone(pid)


@pytest.mark.parametrize("kind", ["postgres", "valkey"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_server_outlives_a_user_that_is_killed(home: Path, kind: str, number: signal.Signals) -> None:
    """However its only user ends, SIGKILL included, the server ends too."""
    holder, pid = _hold(kind, home / kind)
    assert not _gone(pid)
    holder.send_signal(number)
    holder.wait(LIMIT_S)

    _until(lambda: _gone(pid))


def test_no_server_outlives_its_guard(home: Path) -> None:
    """On Linux the kernel ends the server of a guard that was killed; the next start is clean."""
    holder, pid = _hold("postgres", home / "postgres")
    guard = json.loads((home / "postgres" / "pid").read_text())["guard"]
    os.kill(guard, signal.SIGKILL)
    holder.kill()
    holder.wait(LIMIT_S)
    if sys.platform == "linux":
        _until(lambda: _gone(pid))
    again = start_postgres(home / "postgres")
    again.stop()

    assert again.started


def test_a_server_that_dies_is_brought_back(broker: Server) -> None:
    """A killed server is started again in place, with what it had kept."""
    with redis.Redis.from_url(broker.url) as client:
        client.set("kept", 1)
        client.execute_command("WAITAOF", 1, 0, 5000)
    before = broker.pid
    os.kill(before, signal.SIGKILL)
    _until(lambda: broker.pid not in (0, before) and Valkey().answers(broker.url))
    with redis.Redis.from_url(broker.url) as client:
        assert client.get("kept") == b"1"


def test_a_restart_keeps_the_address(home: Path) -> None:
    """A restarted PostgreSQL is another process at the same address."""
    server = start_postgres(home / "postgres")
    before = server.pid
    server.restart()
    with psycopg.connect(server.url) as connection:
        row = connection.execute("select 1").fetchone()
    after = server.pid
    server.stop()

    assert row == (1,)
    assert before != after


def test_a_stale_pid_file_is_no_obstacle(home: Path) -> None:
    """A pid file that names a living process of somebody else is recognised as stale."""
    server = start_postgres(home / "postgres")
    server.stop()
    data = (home / "postgres" / "data").resolve()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n{int(time.time())}\n5432\n\n127.0.0.1\n0 0\n")

    again = start_postgres(home / "postgres")
    again.stop()

    assert again.started


def test_two_homes_have_two_servers(home: Path, broker: Server) -> None:
    """Two checkouts side by side do not meet."""
    other = start_broker(home / "other")

    assert (other.url, other.pid) != (broker.url, broker.pid)
    other.stop()


def test_a_taken_port_is_passed_over(home: Path) -> None:
    """When somebody took the port of last time, the server starts on another one."""
    first = start_broker(home / "first")
    port = (home / "first" / "port").read_text()
    (home / "second").mkdir(mode=0o711)
    (home / "second" / "port").write_text(port)
    second = start_broker(home / "second")

    assert (home / "second" / "port").read_text() != port
    second.stop()
    first.stop()


def test_a_folder_that_cannot_be_written_gives_one_clear_line() -> None:
    """The message names the folder and the setting that moves it."""
    with pytest.raises(ServerError, match=r"/proc/nowhere.*TIEOUT_HOME") as raised:
        start_postgres(Path("/proc/nowhere/postgres"))

    assert "\n" not in str(raised.value)


def test_secrets_are_readable_by_their_owner_alone(broker: Server) -> None:
    """Neither the address, the password nor the configuration can be read by others."""
    private = [broker.folder / name for name in ("url", "password", "valkey.conf", "log")]

    assert {path.stat().st_mode & 0o077 for path in private} == {0}


def test_a_program_line_shows_no_password(broker: Server) -> None:
    """Who lists the processes of the machine sees no secret."""
    password = (broker.folder / "password").read_text()
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]

    assert not any(password in line for line in lines)


def test_a_home_is_removed_with_what_lies_elsewhere_and_nothing_more(tmp_path: Path) -> None:
    """A link that tieout did not make is not followed."""
    elsewhere = tmp_path / "elsewhere" / "data"
    elsewhere.mkdir(parents=True)
    (tmp_path / "home" / "postgres").mkdir(parents=True)
    (tmp_path / "home" / "postgres" / "data").symlink_to(elsewhere)
    remove_home(tmp_path / "home")

    assert (elsewhere.exists(), (tmp_path / "home").exists()) == (True, False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_below_a_closed_folder_root_finds_another_place(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """PostgreSQL's account cannot enter it, so the data lies elsewhere, and one line says so."""
    closed = home / "closed"
    closed.mkdir(mode=0o700, parents=True)
    server = start_postgres(closed / "postgres")
    server.stop()
    data = (closed / "postgres" / "data").resolve()
    told = capfd.readouterr().err
    remove_home(closed)

    assert data.is_relative_to("/var/lib/tieout")
    assert told.count("\n") == 1
    assert not data.exists()
