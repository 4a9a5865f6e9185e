"""However a body about holdings is mutated, reading it gives what a database can hold, or a declared error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fields import WireError
from gateway.funds import read_funds
from gateway.holdings import read_holdings
from gateway.investments import read_investments
from tests.odd_bodies import with_odd_values, with_other_bytes

SAMPLES = Path(__file__).parents[1] / "samples"
BODIES = [p.read_bytes() for folder in ("holdings", "investments", "mf-webhook") for p in SAMPLES.glob(f"{folder}/*")]
READERS = (read_holdings, read_investments, read_funds)


def _read_all(body: bytes) -> None:
    """Read it in every way; what comes of it can be stored, and its numbers fit their columns."""
    for read in READERS:
        with suppress(WireError):
            for value in _leaves(asdict(read(body))):
                if isinstance(value, str):
                    assert "\0" not in value.encode().decode()  # a lone surrogate would not be encoded
                elif isinstance(value, Decimal):
                    assert abs(value) < 10**14


def _leaves(value: object) -> Iterator[object]:
    """Every key and every value that is no collection."""
    if isinstance(value, dict):
        yield from value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else None
    if inner is None:
        yield value
    for each in inner or ():
        yield from _leaves(each)


@settings(max_examples=120, deadline=None)
@given(body=with_odd_values(BODIES))
def test_a_value_replaced_by_an_odd_one_is_read_or_refused(body: bytes) -> None:
    """Any value anywhere replaced by an odd one of any type."""
    _read_all(body)


@settings(max_examples=80, deadline=None)
@given(body=with_other_bytes(BODIES))
def test_bytes_cut_out_and_put_in_are_read_or_refused(body: bytes) -> None:
    """Any stretch of bytes replaced by any other."""
    _read_all(body)


@settings(max_examples=80, deadline=None)
@given(
    key=st.text(max_size=200),
    rows=st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text()), max_size=5),
)
def test_any_key_anybody_may_think_of_is_read_or_refused(key: str, rows: list[dict[str, object]]) -> None:
    """As a list of rows, as an object, beside what is known."""
    for document in (
        {"securities": rows, key: rows},
        {"summary": rows, key: {key: rows}},
        {"investments": {key: rows}},
    ):
        _read_all(json.dumps(document).encode("utf-8", "surrogatepass"))
