"""A PostgreSQL of the measurement's own: the templates, a load, and a fresh copy of it for each round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from bench.volume.load import Loaded, Template, load, templates
from bench.volume.made import Basket, baskets, make
from config.servers import start_postgres
from store.engine import connect
from store.migrate import migrate

Say = Callable[[str], None]
MADE, COPY = "made", "copy"  #: the databases of what is cloned, and of a round


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is measured, and what its loads are cloned from."""

    url: str
    kinds: list[Template]

    def address(self, name: str) -> str:
        """Of one of its databases, with the password."""
        return _database(self.url, name)

    def loaded(self, lines: int, say: Say) -> tuple[str, Loaded]:
        """A new database with so many lines on each side: its name, and what judging it must find."""
        name = f"lines_{lines}"
        _make(self.url, name)
        with engine_on(self.address(name)) as engine:
            migrate(engine)
            return name, load(engine, self.kinds, lines=lines, say=say)

    @contextmanager
    def copied(self, name: str) -> Iterator[str]:
        """A fresh copy of a database, all of it on the disk; its address. It is dropped afterwards."""
        _make(self.url, COPY, f"template {name} strategy file_copy")
        try:
            yield self.address(COPY)
        finally:
            self.dropped(COPY)

    def dropped(self, name: str) -> None:
        """Drop a database of the place."""
        _admin(self.url, f"drop database {name} with (force)")


@contextmanager
def place(folder: Path, say: Say, chosen: Sequence[Basket] | None = None) -> Iterator[Place]:
    """Start the server in that folder and make what is cloned, the chosen or all; the server ends with it."""
    kept = chosen or baskets()
    folder.mkdir(parents=True, exist_ok=True)
    server = start_postgres(folder / "postgres")
    try:
        say("making the transactions that the loads are cloned from")
        _make(server.url, MADE)
        with engine_on(_database(server.url, MADE)) as engine:
            migrate(engine)
            with TemporaryDirectory() as files:
                make(engine, kept, Path(files))
            with engine.connect() as connection:
                kinds = templates(connection, kept)
        yield Place(server.url, kinds)
    finally:
        server.stop()


@contextmanager
def engine_on(url: str) -> Iterator[Engine]:
    """An engine on that address, let go of at the end."""
    engine = connect(url, application="tieout-bench")
    try:
        yield engine
    finally:
        engine.dispose()


def _database(url: str, name: str) -> str:
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _make(url: str, name: str, how: str = "") -> None:
    _admin(url, f"drop database if exists {name} with (force)", f"create database {name} {how}", "checkpoint")


def _admin(url: str, *statements: str) -> None:
    with engine_on(url) as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in ("set statement_timeout = 0", *statements):
            connection.execute(text(statement))
