"""Tables that take the verdicts of a large run, each a child of `verdicts` and read as part of it.

A row that goes into a table with four indexes costs more than the verdict it holds. A large run
therefore fills a table without any, and makes them when it is full. Whoever reads `verdicts` sees its
rows from the moment their range is committed; until it is indexed, who looks for one of them reads the
table, which is a matter of a tenth of a second.
"""

from __future__ import annotations

import re

from sqlalchemy import Connection, text

_LOCK = 7_130_818  #: any number, the same for all: one makes or ends such a table at a time
_NAME = re.compile(r"verdicts_[0-9]+", re.ASCII)
SORT_MEMORY = "64MB"  #: of one process that makes an index

_CHILDREN = text("""
select c.relname as name, count(i.indexrelid) filter (where i.indisvalid) as indexes
from pg_inherits h join pg_class c on c.oid = h.inhrelid left join pg_index i on i.indrelid = c.oid
where h.inhparent = 'verdicts'::regclass group by c.relname order by length(c.relname), c.relname
""")
_INDEXES = (
    "create index if not exists ix_{name}_txn on {name} (txn)",
    "create unique index if not exists uq_{name}_ours on {name} (ours) where ours is not null",
    "create unique index if not exists uq_{name}_theirs on {name} (theirs) where theirs is not null",
    "create index if not exists ix_{name}_date on {name} (trade_date, bucket)",
)


def opened(connection: Connection) -> str:
    """The table that is being filled: one that an earlier run left unfinished, else a new one."""
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    if begun := unfinished(connection):
        return begun[-1]
    numbers = [int(row.name.rpartition("_")[2]) for row in connection.execute(_CHILDREN)]
    name = f"verdicts_{max(numbers, default=0) + 1}"
    connection.execute(text(f"create table {name} () inherits (verdicts)"))
    return name


def unfinished(connection: Connection) -> list[str]:
    """The tables that lack an index: a run fills them, or died over them."""
    return [row.name for row in connection.execute(_CHILDREN) if row.indexes < len(_INDEXES)]


def indexes_of(name: str) -> list[str]:
    """The statements that make the indexes that such a table lacks, each for `make_index`."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name} is no table of a large run")
    return [statement.format(name=name) for statement in _INDEXES]


def make_index(connection: Connection, statement: str) -> None:
    """Make one index; who changes a verdict of that table waits for it. Raises when a line has two verdicts."""
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text("set local statement_timeout = 0"))
    connection.execute(text(f"set local maintenance_work_mem = '{SORT_MEMORY}'"))
    connection.execute(text(statement))


def drop_empty(connection: Connection) -> list[str]:
    """Drop finished tables whose verdicts have all been replaced; their names."""
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    done = [row.name for row in connection.execute(_CHILDREN) if row.indexes == len(_INDEXES)]
    empty = [name for name in done if not connection.execute(text(f"select exists (select from {name})")).scalar_one()]
    for name in empty:
        connection.execute(text(f"drop table {name}"))
    return empty
