"""Registering and reading transactions through the private API."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from tests.api_calls import BASKET, NOW, Backend, a_gateway, backend


@pytest.fixture(name="company")
def _company(shared_engine: Engine) -> Backend:
    """A backend whose Gateway is never asked."""
    return backend(shared_engine, "redis://127.0.0.1:1/0", a_gateway("http://127.0.0.1:1"))


def an_id() -> str:
    """A transactionId of its own."""
    return f"TRX_{uuid4().hex}"


def test_a_registered_transaction_is_kept_and_followed(company: Backend) -> None:
    """With user, basket and the default expiry; due to be asked for at once."""
    transaction_id = an_id()
    document = {"transactionId": transaction_id, "user": "u-1", "intent": "TRANSACTION", "orderConfig": BASKET}
    given = company.post("/transactions/register", document)
    assert (given.status_code, given.json["status"]) == (201, "registered")
    told = given.json["transaction"]
    assert (told["user"], told["origin"], told["expireAt"]) == ("u-1", "registration", "2026-11-20T04:50:00Z")
    assert told["requested"] == [{"exchange": "NSE", "symbol": "TCS", "side": "BUY", "quantity": "10"}]
    stored = company.one("select ask_at, book from transactions where transaction_id = :t", t=transaction_id)
    assert stored == (NOW, "test")


def test_an_expiry_counts_from_the_creation_that_is_said(company: Backend) -> None:
    """Five minutes, unless the registration says another."""
    first, second = an_id(), an_id()
    company.post("/transactions/register", {"transactionId": first, "createdAt": "2026-11-20T09:00:00+05:30"})
    company.post("/transactions/register", {"transactionId": second, "expireAt": "2026-11-20T04:00:00Z"})
    sql = "select expire_at from transactions where transaction_id = :t"
    assert company.one(sql, t=first) == (datetime(2026, 11, 20, 3, 35, tzinfo=UTC),)
    assert company.one(sql, t=second) == (datetime(2026, 11, 20, 4, 0, tzinfo=UTC),)


def test_registering_again_fills_and_overwrites_nothing(company: Backend) -> None:
    """What is new comes in, what says otherwise is refused by name, and the same again changes nothing."""
    transaction_id = an_id()
    assert company.post("/transactions/register", {"transactionId": transaction_id}).status_code == 201
    named = {"transactionId": transaction_id, "user": "u-1"}
    assert company.post("/transactions/register", named).status_code == 200
    rev = company.one("select rev from transactions where transaction_id = :t", t=transaction_id)
    assert company.post("/transactions/register", named).status_code == 200
    assert company.one("select rev from transactions where transaction_id = :t", t=transaction_id) == rev
    other = company.post("/transactions/register", {**named, "user": "u-2", "intent": "CONNECT"})
    assert (other.status_code, other.json["reason"]) == (409, "known-otherwise")
    assert "user" in other.json["why"]
    kept = company.one("select user_ref, intent from transactions where transaction_id = :t", t=transaction_id)
    assert kept == ("u-1", None)


def test_a_transaction_is_read_with_the_gateways_word_and_its_batches(company: Backend) -> None:
    """Amounts are text; a word that nobody knows is kept and flagged."""
    transaction_id = an_id()
    company.post("/transactions/register", {"transactionId": transaction_id})
    with company.engine.begin() as connection:
        named = {"t": transaction_id}
        connection.execute(
            text("update transactions set status = 'NEW_WORD', known = true where transaction_id = :t"), named
        )
        connection.execute(
            text("""
            insert into batches (txn, batch_id, status, filled, buy_amount, trade_date)
            select txn, 'b1', 'COMPLETED', 3, 1575.09, '2026-11-20' from transactions where transaction_id = :t"""),
            named,
        )
    told = company.get(f"/transactions/{transaction_id}").json["transaction"]
    assert (told["gatewayStatus"], told["statusKnown"], told["knownToGateway"]) == ("NEW_WORD", False, True)
    (batch,) = told["batches"]
    assert (batch["batchId"], batch["buyAmount"], batch["tradeDate"]) == ("b1", "1575.090000", "2026-11-20")


@pytest.mark.parametrize("transaction_id", [f"TRX_{12:032x}", "x", "TRX_%00"])
def test_an_unknown_transaction_is_not_found(company: Backend, transaction_id: str) -> None:
    """With the way to make it known."""
    missing = company.get(f"/transactions/{transaction_id}")
    assert (missing.status_code, missing.json["reason"]) == (404, "not-found")
    assert "register" in missing.json["fix"]
