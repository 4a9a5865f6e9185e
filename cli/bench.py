"""`tieout bench`: measure this installation on servers of its own, never on your data.

A benchmark is a program of its own (`python -m bench.NAME`); this command starts it.
"""

from __future__ import annotations

import subprocess
import sys

import click

#: Name -> (module, one line).
BENCHES = {
    "ingest": ("bench.ingest", "How fast the edge takes webhooks, beside a bare route."),
    "follow": ("bench.follow", "Whether following finds what no webhook told, within the limits, after an outage."),
    "match": ("bench.match", "What judging a million lines on each side costs, beside one join that counts them."),
    "verdicts": ("bench.verdicts", "Whether every planted break is found, and nothing else."),
}


class Programs(click.Group):
    """A group whose commands are programs; each reads its own options."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names."""
        return list(BENCHES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command that starts the program of that name, or None."""
        return _command(cmd_name) if cmd_name in BENCHES else None


def _command(name: str) -> click.Command:
    module, text = BENCHES[name]

    def start(arguments: tuple[str, ...]) -> None:
        sys.exit(subprocess.run([sys.executable, "-m", module, *arguments], check=False).returncode)  # noqa: S603

    return click.Command(
        name,
        callback=start,
        help=text,
        params=[click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED)],
        context_settings={"ignore_unknown_options": True, "help_option_names": []},
    )


EPILOG = """
\b
Examples:
  tieout bench ingest --json     figures for machines
  tieout bench verdicts --help   what this one can be told
"""


@click.group(cls=Programs, epilog=EPILOG)
def bench() -> None:
    """Measure this installation, on servers of its own that end with it."""
