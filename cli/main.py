"""`tieout`: the one command, with its parts loaded only when called."""

from __future__ import annotations

import sys
from importlib import import_module

import click
from sqlalchemy.exc import OperationalError

from cli.examples import share_examples
from cli.show import AWAY, WRONG_CALL
from config.server_errors import ServerError
from config.settings import SettingsError

COMMANDS = {
    "up": ("cli.up:up", "Start everything; with no Gateway keys, play a simulated day through it."),
    "doctor": ("cli.doctor:doctor", "Check this installation, and with --gateway the keys."),
    "simulate": ("cli.simulate:simulate", "Run the Gateway's stand-in by itself."),
    "queue": ("cli.queue:queue", "Show what waits and why, who works, and what is in the way."),
    "alerts": ("cli.alerts:alerts", "List what a person should know of, with what to do."),
    "events": ("cli.events:events", "List, show, explain and replay webhook events."),
    "explain": ("cli.explain:explain", "Explain why an order ended up where it did."),
    "match": ("cli.match:match", "Decide which lines are one order where matching must not guess."),
    "rules": ("cli.rules:rules", "List, check and compare the rule sets that verdicts are made by."),
    "breaks": ("cli.breaks:breaks", "List what differs between your books and the Gateway."),
    "import": ("cli.imports:imports", "Import orders, instruments or transactions from a file."),
    "reference": ("cli.reference:reference", "Look up instruments, ticks, prices, charges and sessions by date."),
    "reconcile": ("cli.reconcile:reconcile", "Reconcile what has changed, a day or everything."),
    "day": ("cli.day:day", "Show how one trade date ties out."),
    "lines": ("cli.lines:lines", "List the lines behind a day's figures, bucket by bucket."),
    "export": ("cli.export:export", "Write a trade date to a workbook that adds itself up."),
    "close": ("cli.close:close", "Close a trade date that adds up, and seal what it rests on."),
    "reopen": ("cli.close:reopen", "Take back the signature under a trade date."),
    "asof": ("cli.asof:asof", "What was known of a day at an instant, and why it is otherwise now."),
    "verify": ("cli.verify:verify", "Prove anew, by code of its own, that a closed day is what was signed."),
    "completeness": ("cli.completeness:completeness", "Show how far all is known, what is open, and why."),
    "following": ("cli.following:following", "Show how transactions ended; give one up, or take it up again."),
    "gateways": ("cli.gateways:gateways", "Show each gateway: address, keys, limits, whether calls go out."),
    "holdings": ("cli.holdings:holdings", "Show what accounts hold and how fresh that is; fetch it."),
    "accounts": ("cli.accounts:accounts", "Show broker accounts and whose they are; link and unlink."),
    "keys": ("cli.keys:keys", "Make, list, rotate and revoke the private API's keys."),
    "bench": ("cli.bench:bench", "Measure this installation."),
    "db": ("cli.db:db", "Status, migration, backup and restore of the database."),
}

EPILOG = "Examples: tieout up --once · tieout breaks --json · tieout import orders books.xlsx --dry-run"


class Lazy(click.Group):
    """A group that imports a command only when it is called, so that --help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        if isinstance(command, click.Group):
            share_examples(command, f"tieout {cmd_name}")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Lazy, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tieout")
def tieout() -> None:
    """Receive smallcase Gateway webhooks, keep every one, and tie orders out against your books."""


def main() -> None:
    """Run a command; every failure is one clear line and an exit code, never a traceback."""
    try:
        tieout(prog_name="tieout")
    except SettingsError as error:
        _leave(WRONG_CALL, str(error))
    except ServerError as error:
        _leave(AWAY, str(error))
    except OperationalError as error:
        _leave(AWAY, f"the database is away: {str(error.orig).strip().splitlines()[0]}. Run: tieout doctor")
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)


def _leave(code: int, message: str) -> None:
    click.echo(message, err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
