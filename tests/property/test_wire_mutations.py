"""However a body is mutated, reading it gives a value or one of the declared errors."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fields import WireError
from gateway.wire import Nonsense, read_details, read_orders, read_webhook
from tests.odd_bodies import with_odd_values, with_other_bytes

SAMPLES = Path(__file__).parents[1] / "samples"
BODIES = [path.read_bytes() for path in sorted(SAMPLES.glob("*/*.json"))]
TRANSACTION = "TRX_0123456789abcdef0123456789abcdef"


def _read_all(body: bytes) -> None:
    for read in (lambda b: read_details(b, TRANSACTION), read_orders):
        with suppress(WireError):
            read(body)
    with suppress(Nonsense):
        read_webhook(body)


@settings(max_examples=400, deadline=None)
@given(body=with_odd_values(BODIES))
def test_a_value_replaced_by_an_odd_one_is_read_or_refused(body: bytes) -> None:
    """Any value anywhere replaced by an odd one of any type."""
    _read_all(body)


@settings(max_examples=300, deadline=None)
@given(body=with_other_bytes(BODIES))
def test_bytes_cut_out_and_put_in_are_read_or_refused(body: bytes) -> None:
    """Any stretch of bytes replaced by any other."""
    _read_all(body)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """Bytes that never were a body."""
    _read_all(body)
