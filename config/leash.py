"""No orphans: a small watcher that ends process groups when the one who held them dies.

The watcher's standard input is a pipe from the holder. The kernel closes it however the holder
ends, SIGKILL included; then the watcher asks the groups to end, waits, and insists.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import IO, Self

GRACE_S = 10.0


class Leash:
    """Holds process groups for as long as this process lives. A context manager."""

    def __init__(self) -> None:
        """Start the watcher."""
        self._watcher = subprocess.Popen(  # noqa: S603 our own file, no shell
            [sys.executable, "-I", __file__], stdin=subprocess.PIPE, start_new_session=True
        )

    def hold(self, group: int) -> None:
        """End that process group if this process dies."""
        self._tell(f"+{group}\n")

    def release(self, group: int) -> None:
        """That process group has ended."""
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """End the watcher, and with it whatever is still held."""
        if self._watcher.stdin:
            self._watcher.stdin.close()
        self._watcher.wait()

    def __enter__(self) -> Self:
        """Hold from here."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go."""
        self.close()

    def _tell(self, line: str) -> None:
        if self._watcher.stdin is None or self._watcher.poll() is not None:
            return
        self._watcher.stdin.write(line.encode())
        self._watcher.stdin.flush()


def watch(lines: IO[str]) -> None:
    """Follow what is held until the pipe closes, then end what is left."""
    held: set[int] = set()
    for line in lines:
        group = int(line[1:])
        held.add(group) if line[0] == "+" else held.discard(group)
    for number, wait_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, 0.0)):
        held = {group for group in held if _signalled(group, number)}
        _wait_for(held, wait_s)


def _wait_for(held: set[int], wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while held and time.monotonic() < deadline and any(_signalled(group, 0) for group in held):
        time.sleep(0.05)


def _signalled(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch(sys.stdin)
