"""However a body is mutated, reading it gives a value or one of the declared errors."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fields import WireError
from gateway.wire import Nonsense, read_details, read_orders, read_webhook

SAMPLES = Path(__file__).parents[1] / "samples"
BODIES = [path.read_bytes() for path in sorted(SAMPLES.glob("*/*.json"))]
TRANSACTION = "TRX_0123456789abcdef0123456789abcdef"
ODD: st.SearchStrategy[object] = st.sampled_from(
    [None, True, False, 0, -1, 1e308, 10**120, "", "NaN", "1e999999", "\0", "\ud800", [], {}, [[]], [None], {"a": None}]
)


def _paths(document: object) -> list[tuple[Any, Any]]:
    """Every place of a document, as container and key."""
    if isinstance(document, dict):
        places: list[tuple[Any, Any]] = [(document, key) for key in document]
    elif isinstance(document, list):
        places = [(document, key) for key in range(len(document))]
    else:
        return []
    return places + [p for _, key in places for p in _paths(document[key])]


def _read_all(body: bytes) -> None:
    for read in (lambda b: read_details(b, TRANSACTION), read_orders):
        with suppress(WireError):
            read(body)
    with suppress(Nonsense):
        read_webhook(body)


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_value_replaced_by_an_odd_one_is_read_or_refused(data: st.DataObject) -> None:
    """Any value anywhere replaced by an odd one of any type."""
    document = json.loads(data.draw(st.sampled_from(BODIES)))
    for _ in range(data.draw(st.integers(1, 3))):
        if places := _paths(document):
            container, key = data.draw(st.sampled_from(places))
            container[key] = deepcopy(data.draw(ODD))
    _read_all(json.dumps(document).encode("utf-8", "surrogatepass"))


@settings(max_examples=300, deadline=None)
@given(body=st.sampled_from(BODIES), at=st.integers(0, 3000), cut=st.integers(0, 40), put=st.binary(max_size=12))
def test_bytes_cut_out_and_put_in_are_read_or_refused(body: bytes, at: int, cut: int, put: bytes) -> None:
    """Any stretch of bytes replaced by any other."""
    _read_all(body[:at] + put + body[at + cut :])


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Bytes that never were a body."""
    _read_all(body)
