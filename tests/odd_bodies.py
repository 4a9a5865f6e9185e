"""Bodies with a few values, or a stretch of bytes, replaced by odd ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

_ODD: st.SearchStrategy[object] = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1e308, 10**120, "", "NaN", "1e999999", "\0", "\ud800", [], {}, [[]], [None]),
        *({"a": None}, {"\0": 1}),
    ]
)


@st.composite
def with_odd_values(draw: st.DrawFn, bodies: Sequence[bytes]) -> bytes:
    """One of these bodies with up to three values anywhere replaced by an odd one of any type."""
    document = json.loads(draw(st.sampled_from(bodies)))
    for _ in range(draw(st.integers(1, 3))):
        if places := _places(document):
            container, key = draw(st.sampled_from(places))
            container[key] = deepcopy(draw(_ODD))
    return json.dumps(document).encode("utf-8", "surrogatepass")


@st.composite
def with_other_bytes(draw: st.DrawFn, bodies: Sequence[bytes]) -> bytes:
    """One of these bodies with any stretch of bytes replaced by any other."""
    body, at, cut = draw(st.sampled_from(bodies)), draw(st.integers(0, 3000)), draw(st.integers(0, 40))
    return body[:at] + draw(st.binary(max_size=12)) + body[at + cut :]


def _places(document: object) -> list[tuple[Any, Any]]:
    """Every place of a document, as container and key."""
    if isinstance(document, dict):
        found: list[tuple[Any, Any]] = [(document, key) for key in document]
    elif isinstance(document, list):
        found = [(document, key) for key in range(len(document))]
    else:
        return []
    return found + [place for _, key in found for place in _places(document[key])]
