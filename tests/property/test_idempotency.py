"""Whatever fails in between: one key, one request, at most one transaction handed out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.api_calls import Backend, Said, a_gateway, backend
from tests.posting import Posting, answer, created, posting, raw

REQUEST = {"intent": "CONNECT", "user": "u-1"}
OTHER = {"intent": "CONNECT", "user": "u-2"}
#: What the Gateway does, and what state it leaves the creation in.
WAYS: dict[str, tuple[Callable[[int], bytes | None], str]] = {
    "created": (created, "created"),
    "reset": (lambda _: None, "unclear"),
    "500": (lambda _: answer(500, {}), "unclear"),
    "page": (lambda _: raw(200, b"<html>"), "unclear"),
    "429": (lambda _: answer(429, {}), "failed"),
    "401": (lambda _: answer(401, {"success": False, "errors": ["invalid jwt"]}), "failed"),
    "422": (lambda _: answer(422, {"success": False, "errors": ["no"]}), "refused"),
}
STANDING = {"created", "refused"}


@pytest.fixture(name="stand_in", scope="module")
def _stand_in() -> Iterator[Posting]:
    """A Gateway that answers as told."""
    with posting() as told:
        yield told


@pytest.fixture(name="company")
def _company(engine: Engine, broker_url: str, stand_in: Posting) -> Backend:
    """A backend on a database of this test's own."""
    return backend(engine, broker_url, a_gateway(stand_in.url))


@given(tries=st.lists(st.tuples(st.sampled_from(sorted(WAYS)), st.booleans()), min_size=1, max_size=6))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_key_stands_for_one_request_and_one_answer(
    company: Backend, stand_in: Posting, tries: list[tuple[str, bool]]
) -> None:
    """After each try the answer is the one that stands, or the try was made; another request never passes."""
    key, states = str(uuid4()), list[str]()
    stands: Said | None = None
    for way, other in tries:
        asked = len(stand_in.bodies)
        stand_in.says, leaves = WAYS[way]
        if other and any(state != "failed" for state in states):
            refused = company.create(OTHER, key)
            assert (refused.status_code, refused.json["reason"]) == (422, "key-reused")
            assert len(stand_in.bodies) == asked
        elif stands is not None:
            again = company.create(REQUEST, key)
            assert (again.status_code, again.json) == (stands.status_code, stands.json)
            assert len(stand_in.bodies) == asked
        else:
            made = company.create(REQUEST, key)
            assert len(stand_in.bodies) == asked + 1
            states.append(leaves)
            stands = made if leaves in STANDING else None
    sql = "select state from creations where idempotency_key = :key order by creation_id"
    assert [state for (state,) in company.all(sql, key=key)] == states


@pytest.mark.parametrize("together", [2, 8])
def test_many_at_once_create_one(company: Backend, stand_in: Posting, together: int) -> None:
    """Of requests with the same key at the same moment exactly one reaches the Gateway."""
    for _ in range(2):
        stand_in.says, asked, key = created, len(stand_in.bodies), str(uuid4())
        answers = _at_once([partial(company.create, REQUEST, key)] * together)
        made = {given.json["transactionId"] for given in answers if given.status_code == 201}
        assert len(stand_in.bodies) == asked + 1
        assert len(made) == 1
        assert {given.status_code for given in answers} <= {201, 409}
        assert company.create(REQUEST, key).json["transactionId"] in made


def test_two_requests_at_once_with_one_key_create_one_of_them(company: Backend, stand_in: Posting) -> None:
    """The other is refused as another request, not given an answer that is not its own."""
    for _ in range(2):
        stand_in.says, asked, key = created, len(stand_in.bodies), str(uuid4())
        calls = [partial(company.create, REQUEST, key), partial(company.create, OTHER, key)] * 3
        answers = _at_once(calls)
        assert len(stand_in.bodies) == asked + 1
        by_user = {given.json["user"] for given in answers if given.status_code == 201}
        assert len(by_user) == 1
        assert "key-reused" in {given.json.get("reason") for given in answers}


def _at_once(calls: Sequence[Callable[[], Said]]) -> list[Said]:
    barrier, answers = threading.Barrier(len(calls)), list[Said]()

    def run(call: Callable[[], Said]) -> None:
        barrier.wait(10)
        answers.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == len(calls)
    return answers
