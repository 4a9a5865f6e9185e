"""Examples in every --help: a group states them all, and each of its commands shows its own."""

from __future__ import annotations

from collections.abc import Iterator

import click

HEAD = "\b\nExamples:\n"
LISTING = "list"  #: what a group with a listing does when no command is named


def share_examples(group: click.Group, path: str) -> None:
    """Give each command of the group, that has no examples of its own, the group's lines about it."""
    lines = [line.strip() for line in (group.epilog or "").splitlines()]
    for name, command in group.commands.items():
        own = "\n".join(f"  {line}" for line in lines if name in _about(line, path, group))
        if own and "xample" not in (command.epilog or ""):
            command.epilog = f"{HEAD}{own}\n\n{command.epilog or ''}"


def _about(line: str, path: str, group: click.Group) -> Iterator[str]:
    """The command that an example shows."""
    if f"{line} ".startswith(f"{path} "):
        word = line.removeprefix(path).split(maxsplit=1)[0] if line != path else ""
        yield word if word in group.commands else LISTING
