"""The measurement of volume: what it loads is what the service would have stored, and its judge is held to that."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from bench.volume.load import FIRST, OF, TABLES, Template, _chosen, load, templates
from bench.volume.made import RULES, baskets, evening, make
from bench.volume.statements import BUCKETS, COUNTING_JOIN, FINDINGS, SOURCES
from store import schema
from store.engine import connect
from tests.conftest import TEMPLATE, _create, _database
from tieout.full import Scope, judge_scope

LINES = 500
#: The numbers that a database gives, and what is left out because nothing is judged yet.
OWN = {"txn", "line", "snapshot_id", "delivery_id", "review_at", "ask_at"}


@pytest.fixture(name="kinds", scope="module")
def _kinds(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> list[Template]:
    """The small ones of what loads are cloned from, made by the service itself."""
    made = [each for each in baskets() if each.size in (1, 4)]
    with _fresh(postgres, "made") as engine:
        make(engine, made, tmp_path_factory.mktemp("made"))
        with engine.connect() as connection:
            return templates(connection, made)


@contextmanager
def _fresh(postgres: str, name: str) -> Iterator[Engine]:
    _create(postgres, name, template=TEMPLATE)
    engine = connect(_database(postgres, name))
    yield engine
    engine.dispose()


def test_a_clone_is_what_the_service_would_have_stored(
    postgres: str, engine: Engine, kinds: list[Template], tmp_path: Path
) -> None:
    """The same baskets under the clones' ids, made by the service: every row of every table is the same."""
    load(engine, kinds, lines=40, say=print)
    made = [replace(kind.basket, token=str(FIRST + 1 + place)) for place, kind in enumerate(_chosen(kinds, 40))]
    with _fresh(postgres, "again") as again:
        make(again, made, tmp_path)
        for basket in made:
            assert _stored(engine, basket.transaction_id) == _stored(again, basket.transaction_id)


def test_a_load_is_judged_as_the_rules_judge_it(engine: Engine, kinds: list[Template]) -> None:
    """Every bucket and finding that was loaded, nothing else, and every line accounted for."""
    loaded = load(engine, kinds, lines=LINES, say=print)
    done = judge_scope(engine, scope=Scope(), now=evening(), rules=RULES)

    with engine.connect() as connection:
        buckets = connection.execute(text(BUCKETS)).mappings().all()
        sources = connection.execute(text(SOURCES)).mappings().one()
        findings = {row.name: row.number for row in connection.execute(text(FINDINGS))}
        join = connection.execute(text(COUNTING_JOIN)).mappings().one()
    assert {row["bucket"]: max(row["ours_count"], row["theirs_count"]) for row in buckets} == loaded.buckets
    assert (findings, done.judged, done.by_statement) == (
        loaded.findings,
        loaded.transactions,
        loaded.transactions - loaded.differ,
    )
    assert all(sum(row[name] for row in buckets) == sources[name] for name in sources)
    assert (join["theirs_alone"], join["equal"] + join["different"]) == (loaded.theirs - loaded.ours, loaded.ours)


def _stored(engine: Engine, transaction_id: str) -> dict[str, list[dict[str, Any]]]:
    """The transaction's rows of every table that is loaded, in an order that does not depend on numbers."""
    found = {}
    with engine.connect() as connection:
        for table in TABLES:
            where = OF.get(table.name, "txn = (select txn from transactions where transaction_id = :transaction_id)")
            rows = connection.execute(
                text(f"select * from {table.name} where {where}"), {"transaction_id": transaction_id}
            ).mappings()
            found[table.name] = sorted(
                ({name: value for name, value in row.items() if name not in OWN} for row in rows), key=repr
            )
    assert all(found[table.name] for table in TABLES if table is not schema.our_lines)
    return found
