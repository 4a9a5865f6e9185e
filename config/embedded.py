"""PostgreSQL and Valkey from wheels: found running in their folder, else started there.

Whoever uses a server holds a shared lock on the file `holders` in its folder; the server's guard
(`config/guard.py`) ends it when the last holder has let go or died.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from config import guard
from config.account import make_folder
from config.server_errors import ServerError, in_words, way_out

START_S = 90.0  #: longest wait for a server to answer; recovery after a crash takes its time
STOP_S = 60.0
LOOK_AGAIN_S = 0.03
_ATTEMPTS = 8
_TRANSIENT = ("Address already in use", "pre-existing shared memory block", "could not create any TCP/IP")
_LOG_MAX_BYTES = 5 << 20


class Kind(Protocol):
    """What differs between PostgreSQL and Valkey."""

    @property
    def name(self) -> str:
        """How people call it."""
        ...

    def prepare(self, folder: Path, port: int) -> guard.Plan:
        """Make what the server needs in its folder; how to run it."""
        ...

    def url(self, folder: Path, port: int) -> str:
        """Its address, with the password."""
        ...

    def answers(self, url: str) -> bool:
        """Whether it takes work now; asked of the server itself."""
        ...


@dataclass(slots=True)
class Server:
    """An embedded server in use; `stop` lets go of it."""

    kind: Kind
    folder: Path
    url: str
    started: bool  #: whether it was started for this user, not found running
    _holders: int
    _guard: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process id now; 0 while it is down."""
        return _pids(self.folder)["server"]

    def restart(self) -> None:
        """Restart it in place and wait until it answers. Raises `ServerError`."""
        before = self.pid
        os.kill(_pids(self.folder)["guard"], signal.SIGUSR1)
        _until(lambda: self.pid not in (0, before) and self.kind.answers(self.url), START_S, self._silence)

    def stop(self) -> None:
        """Let go; when nobody else uses it, wait until it has ended."""
        fcntl.flock(self._holders, fcntl.LOCK_UN)
        if _lock(self._holders, fcntl.LOCK_EX):
            fcntl.flock(self._holders, fcntl.LOCK_UN)
            with contextlib.suppress(ProcessLookupError):
                os.kill(_pids(self.folder)["guard"], signal.SIGALRM)
            _until(lambda: not _guarded(self.folder), STOP_S, f"{self.kind.name} did not end within {STOP_S:.0f} s")
        os.close(self._holders)
        if self._guard and self._guard.poll() is None:
            self._guard.returncode = 0  # it lives on for the others, and is nobody's to wait for

    @property
    def _silence(self) -> str:
        return f"{self.kind.name} (process {self.pid}) does not answer: see {self.folder / 'log'}"


def start(kind: Kind, folder: Path) -> Server:
    """The server of that folder: found running, or started and answering. Raises `ServerError`."""
    try:
        folder = make_folder(folder)
        with _starting(folder, kind):
            return _start(kind, folder)
    except OSError as error:
        raise in_words(error, folder) from error


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a loopback port can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _start(kind: Kind, folder: Path) -> Server:
    holders = os.open(folder / "holders", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # Refused only while a guard is ending the server: then wait for the end and start afresh.
        _until(lambda: _lock(holders, fcntl.LOCK_SH), STOP_S, f"{kind.name} of {folder} does not end")
        if _guarded(folder):
            url = (folder / "url").read_text()
            silence = f"{kind.name} of {folder} runs but does not answer: see {folder / 'log'}"
            _until(lambda: kind.answers(url), START_S, silence)
            return Server(kind, folder, url, started=False, _holders=holders)
        _end_leftover(folder)
        url, process = _launch(kind, folder)
        return Server(kind, folder, url, started=True, _holders=holders, _guard=process)
    except BaseException:
        os.close(holders)
        raise


def _launch(kind: Kind, folder: Path) -> tuple[str, subprocess.Popen[bytes]]:
    reason = ""
    for attempt in range(_ATTEMPTS):
        port = _port(folder, attempt)
        plan = kind.prepare(folder, port)
        url = kind.url(folder, port)
        _write_private(folder / "port", str(port))
        _write_private(folder / "url", url)
        process, log_start = _spawn(plan, folder)
        if _came_up(kind, url, process):
            process.send_signal(signal.SIGUSR2)
            return url, process
        reason = _reason(folder / "log", log_start)
        if not any(words in reason for words in _TRANSIENT):
            break
        time.sleep(0.2 * attempt)
    raise ServerError(f"{kind.name} did not start: {reason}; {way_out(reason, folder)}")


def _port(folder: Path, attempt: int) -> int:
    """The port of last time, so that addresses stay the same, unless somebody took it."""
    with contextlib.suppress(OSError, ValueError):
        last = int((folder / "port").read_text())
        if attempt == 0 and is_free(last):
            return last
    return free_port()


def _spawn(plan: guard.Plan, folder: Path) -> tuple[subprocess.Popen[bytes], int]:
    log = folder / "log"
    if log.exists() and log.stat().st_size > _LOG_MAX_BYTES:
        log.replace(folder / "log.old")
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as output:
        process = subprocess.Popen(  # noqa: S603 our own file, no shell
            [sys.executable, "-I", "-S", guard.__file__, json.dumps(plan.__dict__)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"}, start_new_session=True,
        )  # fmt: skip
        return process, output.seek(0, os.SEEK_END)


def _came_up(kind: Kind, url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_S
    while process.poll() is None:
        if kind.answers(url):
            return True
        if time.monotonic() > deadline:
            process.terminate()
            process.wait()
            return False
        time.sleep(LOOK_AGAIN_S)
    return False


def _reason(log: Path, start: int) -> str:
    """The line of the log that says why, else its last."""
    with log.open("rb") as file:
        file.seek(start)
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    told = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "could not", *_TRANSIENT))]
    line = (told or lines or ["it said nothing"])[0 if told else -1]
    return line.partition("FATAL:")[2].strip() or line


@contextlib.contextmanager
def _starting(folder: Path, kind: Kind) -> Iterator[None]:
    """One starter at a time; the others find the server running."""
    descriptor = os.open(folder / "starting", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        waited = f"another process has been starting {kind.name} in {folder} for {START_S:.0f} s: end it"
        _until(lambda: _lock(descriptor, fcntl.LOCK_EX), START_S + STOP_S, waited)
        yield
    finally:
        os.close(descriptor)


def _guarded(folder: Path) -> bool:
    """Whether a guard keeps a server in that folder: it holds a lock as long as it lives."""
    descriptor = os.open(folder / "guard", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return not _lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _end_leftover(folder: Path) -> None:
    """End a server whose guard was killed: it still holds the data. Other processes are left alone."""
    try:
        process = psutil.Process(_pids(folder)["server"])
        ours = process.cwd() in (str(folder), str((folder / "data").resolve()))
    except (psutil.Error, ValueError):
        return
    if ours:
        process.send_signal(signal.SIGINT)
        _until(lambda: not process.is_running(), STOP_S, f"end process {process.pid}, left over in {folder}")


def _pids(folder: Path) -> dict[str, int]:
    try:
        pids: dict[str, int] = json.loads((folder / "pid").read_text())
    except (OSError, ValueError):
        return {"guard": 0, "server": 0}
    return pids


def _lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _write_private(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def _until(condition: Callable[[], bool], limit_s: float, otherwise: str) -> None:
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise ServerError(otherwise)
        time.sleep(LOOK_AGAIN_S)
