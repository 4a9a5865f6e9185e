"""What is said when a server that tieout needs is away or unfit."""

from __future__ import annotations

import errno
from pathlib import Path


class ServerError(Exception):
    """A server is away or unfit; the message is one line that says what is wrong and what to do."""


def way_out(told: str, folder: Path) -> str:
    """What to do about what a server said when it could not start in that folder."""
    if "No space left" in told:
        return f"free some space on the disk of {folder}, or set TIEOUT_HOME to a folder elsewhere"
    if "Permission denied" in told or "Read-only" in told:
        return f"see to the rights of {folder}, or set TIEOUT_HOME to a folder you can write"
    return f"see {folder / 'log'}"


def in_words(error: OSError, folder: Path) -> ServerError:
    """One line for a folder that cannot be written, with the way out."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ServerError(f"the disk of {folder} is full: free some space, or set TIEOUT_HOME to a folder elsewhere")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return ServerError(f"cannot write to {folder} ({error.strerror}): set TIEOUT_HOME to a folder you can write")
    return ServerError(f"cannot use {error.filename or folder}: {error.strerror}; set TIEOUT_HOME to another folder")
