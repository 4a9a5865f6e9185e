"""Which account runs PostgreSQL, and what that account can reach.

PostgreSQL refuses to run as root. When we are root it runs as an account without rights, which
must be able to reach the program and its data; below a folder that only root may enter it cannot.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from config.server_errors import ServerError

STATE = Path("/var/lib/tieout")
CACHE = Path("/var/cache/tieout")
_CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int


def account() -> Account | None:
    """Who must run PostgreSQL in our place: None unless we are root. Raises `ServerError`."""
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise ServerError("PostgreSQL refuses to run as root and there is no user `nobody`: run as an ordinary user")


def reaches(user: Account | None, path: Path) -> bool:
    """Whether that account may enter a folder or run a program there; asked, not guessed."""
    if user is None:
        return os.access(path, os.X_OK)
    try:
        asked = subprocess.run(  # noqa: S603 a fixed program, no input of others
            ["/bin/sh", "-c", 'test -x "$0"', str(path)],
            user=user.uid, group=user.gid, extra_groups=[], cwd="/", check=False,
        )  # fmt: skip
    except (PermissionError, ValueError) as error:
        fix = "run as an ordinary user, or set TIEOUT_DATABASE_URL"
        raise ServerError(f"root may not act as {user.name!r} here ({error}): {fix}") from None
    return asked.returncode == 0


def make_folder(path: Path, *, mode: int = 0o711) -> Path:
    """Make a folder that others may pass but not list, and its missing parents likewise."""
    for folder in (*reversed(path.parents), path):
        if not folder.exists():
            folder.mkdir(mode=mode, exist_ok=True)
            folder.chmod(mode)
    return path.resolve()


def place_for(folder: Path, user: Account | None) -> Path:
    """Where the data of `folder` may lie so that the account reaches it: there, or below /var/lib.

    In the second case `folder/data` becomes a link to the other place.
    """
    link = folder / "data"
    if link.is_symlink():
        return link.resolve()
    if user is None or reaches(user, folder):
        return link
    elsewhere = STATE / f"{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}-{uuid4().hex[:6]}"
    make_folder(elsewhere)
    if not reaches(user, elsewhere):
        raise ServerError(f"{user.name!r} can enter neither {folder} nor {STATE}: set TIEOUT_HOME to a folder it can")
    link.symlink_to(elsewhere / "data")
    sys.stderr.write(f"PostgreSQL's account {user.name!r} cannot enter {folder}: its data lies in {elsewhere}\n")
    return elsewhere / "data"


def within_reach(package: Path, libraries: Path, *, version: str, user: Account | None) -> Path:
    """The package's folder, or a copy of it below /var/cache when the account cannot enter it."""
    if user is None or reaches(user, package):
        return package
    copy = CACHE / f"{package.name}-{version}"
    if not (copy / package.name).exists():
        make_folder(CACHE)
        fresh = CACHE / f"{copy.name}.{uuid4().hex[:6]}"
        shutil.copytree(package, fresh / package.name, ignore=shutil.ignore_patterns("*.py*", "__pycache__"))
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        _keep_first(fresh, copy)
    return copy / package.name


def _keep_first(fresh: Path, wanted: Path) -> None:
    """Move a folder to its place, unless somebody else was quicker."""
    try:
        fresh.rename(wanted)
    except OSError:
        shutil.rmtree(fresh)
