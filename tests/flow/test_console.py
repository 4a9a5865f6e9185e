"""The console over a told day: what it answers, what it refuses, what it survives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import InternalError, OperationalError
from werkzeug.test import TestResponse

from config.clock import FixedClock
from config.settings import Settings
from console.app import create_app, reading_engine
from store.engine import connect
from tests.desk_story import ATTACK, DAY, DIFFERS, DONE_EVENT, GATEWAY, NOW, OPEN, PARKED_EVENT, PRICE_BREAK
from tieout.desk.broker import BrokerWatch
from tieout.rules import rules_from

PORT = 8081
HOST = f"127.0.0.1:{PORT}"
NOBODY = "redis://127.0.0.1:1/0"  #: a port where nobody listens
EVERY_PAGE = (
    "/",
    f"/day/{DAY}",
    f"/day/{DAY}/lines",
    "/breaks?state=all",
    f"/breaks/{PRICE_BREAK}",
    "/events",
    f"/events/{DONE_EVENT}",
    f"/events/{PARKED_EVENT}",
    f"/transactions/{GATEWAY}/{DIFFERS}",
    "/completeness",
    "/gateways",
    "/refusals",
    "/alerts",
    "/meanings",
    "/reference",
    "/reference?kind=ticks&date=2026-11-20&q=INFY&versions=1",
    "/sessions?year=2026",
    "/metrics",
    "/livez",
)


def _client(engine: Engine, broker_url: str = NOBODY) -> FlaskClient:
    settings = Settings(console_port=PORT)
    app = create_app(
        settings, engine=engine, watch=BrokerWatch(broker_url), clock=FixedClock(NOW), rules=rules_from(settings)
    )
    return app.test_client()


@pytest.fixture(name="told", scope="module")
def _told(told_url: str) -> Iterator[Engine]:
    """An engine on the told day."""
    engine = connect(told_url)
    yield engine
    engine.dispose()


@pytest.fixture(name="client", scope="module")
def _client_of_a_told_day(told: Engine) -> FlaskClient:
    """A client of a console whose broker is away."""
    return _client(told)


def _get(client: FlaskClient, path: str, **headers: str) -> TestResponse:
    return client.get(path, headers={"Host": HOST, **headers})


@pytest.fixture(name="statements")
def _statements(told: Engine) -> Iterator[list[str]]:
    """Every statement that the engine is given."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    event.listen(told, "before_cursor_execute", note)
    yield seen
    event.remove(told, "before_cursor_execute", note)


def test_every_page_answers_with_the_broker_away(client: FlaskClient) -> None:
    """No page needs the broker; the overview says that it is away."""
    for path in EVERY_PAGE:
        assert _get(client, path).status_code == 200, path
    assert "The broker is away" in _get(client, "/").text


def test_every_page_answers_over_an_empty_database(engine: Engine) -> None:
    """Before anything has come, pages teach what to do instead of failing."""
    client = _client(engine)
    for path in (
        "/",
        "/day",
        f"/day/{DAY}",
        "/breaks",
        "/events",
        "/refusals",
        "/alerts",
        "/metrics",
        "/reference",
        "/sessions",
    ):
        answer = client.get(path, headers={"Host": HOST}, follow_redirects=True)
        assert answer.status_code == 200, path
    assert "tieout import orders" in _get(client, f"/day/{DAY}").text
    assert "tieout events explain" in _get(client, "/events").text


def test_the_broker_is_looked_at_when_it_is_there(told: Engine, broker_url: str) -> None:
    """Depths, policy and append-only file are those of the real server."""
    page = _get(_client(told, broker_url), "/").text
    assert "The broker is away" not in page
    assert "noeviction" in page


def test_a_page_is_a_few_statements_whatever_its_rows(client: FlaskClient, statements: list[str]) -> None:
    """No page asks once a row: each takes at most sixteen statements."""
    for path in EVERY_PAGE:
        statements.clear()
        _get(client, path)
        assert len(statements) <= 16, (path, len(statements))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_loopback_names_at_its_own_port_are_answered(client: FlaskClient, host: str) -> None:
    """The three ways to name this machine."""
    assert client.get("/livez", headers={"Host": f"{host}:{PORT}"}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "localhost:80", "127.0.0.1:8081.evil", ""]
)
def test_any_other_host_is_refused_and_told_why(client: FlaskClient, host: str) -> None:
    """A name that another site points at this machine gets no page: 421."""
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "localhost" in answer.text
    assert DIFFERS not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_what_is_no_read_is_refused(client: FlaskClient, method: str) -> None:
    """The console changes nothing: every other method is 405, on every page, known or not."""
    for path in (*EVERY_PAGE, "/nowhere"):
        answer = client.open(path, method=method, headers={"Host": HOST})
        assert answer.status_code == 405, path
        assert answer.headers["Allow"] == "GET, HEAD"


def test_every_answer_has_the_strict_headers(client: FlaskClient) -> None:
    """Pages, files, redirects and refusals alike: nothing foreign, nothing inline, nothing kept."""
    for path in (*EVERY_PAGE, "/static/console.css", "/day", "/nowhere"):
        with _get(client, path) as answer:
            headers = answer.headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert headers["Cache-Control"] == ("no-cache" if path.startswith("/static") else "no-store")


def test_no_page_has_anything_inline(client: FlaskClient) -> None:
    """No style attribute, no inline script or handler: the policy would refuse them."""
    for path in EVERY_PAGE:
        page = _get(client, path).text
        assert " style=" not in page
        assert "<style" not in page
        assert "<script>" not in page.replace(ATTACK, "")


def test_text_from_outside_is_escaped_wherever_it_is_shown(client: FlaskClient) -> None:
    """A body, a header, a refusal's sample, an alert and a search are text, never markup."""
    for path in (f"/events/{PARKED_EVENT}", "/refusals", "/alerts", f"/events?q={ATTACK}", f"/breaks?q={ATTACK}"):
        page = _get(client, path).text
        assert "<script>document" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;" in page


def test_a_break_shows_both_sides_its_rule_and_its_proof(client: FlaskClient) -> None:
    """Both values, difference, tolerance and its use, impact, the webhook, the answer, the row of the file."""
    page = _get(client, f"/breaks/{PRICE_BREAK}").text
    for said in (
        "1,512.55",
        "1,512.50",
        "0.05",
        "500 %",
        "625.00",
        "prices agree within rounding and slack",
        "1575.0900000000001",
        "averagePrice",
        "orders-2026-11-20.csv",
    ):
        assert said in page, said


def test_a_day_adds_up_in_rupees_grouped_the_indian_way(client: FlaskClient) -> None:
    """Both sides' buckets, totals counted at the source, and nothing unaccounted."""
    page = _get(client, f"/day/{DAY}").text

    assert "Prices that nobody could check" in page
    assert "tieout import prices FILE" in page
    assert "Every line is accounted for" in page
    assert "1,89,06,250.00" in page
    assert "31,26,250.00" in page
    assert re.search(r"All breaks</th><td class=\"num\">\d+</td><td class=\"num\">31,26,875.00<", page)


def test_breaks_are_filtered_by_the_address_alone(client: FlaskClient) -> None:
    """Name, severity, state, transaction and text each narrow the list."""
    for query, shown, hidden in (
        ("name=price-out", "price-out</a>", "missing-internal</a>"),
        ("severity=critical", "missing-internal</a>", "price-out</a>"),
        ("state=note", "partial-residual</a>", "price-out</a>"),
        (f"transaction={DIFFERS}", "price-out</a>", "missing-internal</a>"),
        ("q=ORD-1001", "price-out</a>", "missing-internal</a>"),
        ("q=RELIANCE", "price-out</a>", "Nothing matches"),
        ("date=2026-11-19", "Nothing matches", "price-out</a>"),
    ):
        page = _get(client, f"/breaks?{query}").text
        assert shown in page, query
        assert hidden not in page, query


def test_breaks_say_how_many_there_are_and_what_they_weigh(client: FlaskClient) -> None:
    """Above the list stand count and rupees of all that the filters leave, not only of this page."""
    page = _get(client, "/breaks").text
    assert re.search(r"<caption>\d+ breaks, ₹ 31,[\d,.]+ in all", page), "the sum of every break"
    assert "<caption>1 break, ₹ 625.00 in all" in _get(client, "/breaks?name=price-out").text
    assert "in all" not in _get(client, "/breaks?severity=critical").text, "severity is told when read"


def test_events_are_paged_without_a_gap_or_a_repeat(client: FlaskClient) -> None:
    """Following the next pages meets every event once."""
    seen: list[str] = []
    path: str | None = f"/events?q={OPEN}"
    while path:
        page = _get(client, path).text
        seen += [part.split('"')[0] for part in page.split('href="/events/')[1:]]
        following = page.split('rel="next" href="')[1:]
        path = following[0].split('"')[0].replace("&amp;", "&") if following else None
    assert len(seen) == len(set(seen)) == 60


@pytest.mark.parametrize(
    "path",
    [
        "/events?after=x",
        "/events?after=a~b",
        "/breaks?after=1~x",
        "/refusals?after=~~",
        "/alerts?after=x",
        "/breaks?date=x",
        "/breaks?state=x",
        "/events?from=x",
    ],
)
def test_an_address_that_makes_no_sense_is_400_in_words(client: FlaskClient, path: str) -> None:
    """A person who changed the address is told what is wrong with it."""
    answer = _get(client, path)
    assert answer.status_code == 400
    assert "say bad" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/day/x",
        "/day/2026-11-20?gateway=none",
        f"/breaks/{DONE_EVENT}",
        f"/events/{PRICE_BREAK}",
        "/transactions/acme/TRX_x",
        "/transactions/%00/x",
    ],
)
def test_what_is_not_there_is_404_with_a_way_on(client: FlaskClient, path: str) -> None:
    """Each page that is not found says where to look instead."""
    assert _get(client, path).status_code == 404


def test_an_address_of_no_page_says_how_to_find_one(client: FlaskClient) -> None:
    """Nobody is told to check their spelling."""
    answer = _get(client, "/transactions/TRX_x")
    assert (answer.status_code, "The box on top" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        (str(DONE_EVENT), f"/events/{DONE_EVENT}"),
        (str(PRICE_BREAK), f"/breaks/{PRICE_BREAK}"),
        (DIFFERS, f"/transactions/{GATEWAY}/{DIFFERS}"),
        ("ORD-1001", f"/transactions/{GATEWAY}/{DIFFERS}"),
        ("65a1b2c3d4e5f60718293a4b", "/events?q=65a1b2c3d4e5f60718293a4b"),
    ],
)
def test_one_box_finds_whatever_an_id_names(client: FlaskClient, typed: str, path: str) -> None:
    """An event, a break, a transaction, an order of the books; anything else is searched."""
    assert _get(client, f"/find?q={typed}").headers["Location"] == path


def test_the_consoles_connections_cannot_write(told_url: str) -> None:
    """Even a mistake in a page could change nothing: the database itself refuses, time after time."""
    engine = reading_engine(told_url)
    for _ in range(2):
        with engine.connect() as connection, pytest.raises(InternalError, match="read-only transaction"):
            connection.execute(text("update events set state = 'done'"))
    engine.dispose()


def test_a_search_that_takes_too_long_is_given_up_in_words(told_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says how to narrow it instead of holding on."""
    monkeypatch.setattr("console.app.STATEMENT_TIMEOUT_MS", 1)
    engine = reading_engine(told_url)
    client = _client(engine)
    with engine.connect() as connection, pytest.raises(OperationalError) as caught:
        connection.execute(text("select pg_sleep(1)"))
    client.application.add_url_rule("/slow", view_func=_raising(caught.value))
    answer = _get(client, "/slow")
    assert (answer.status_code, "Narrow it" in answer.text) == (503, True)
    engine.dispose()


def _raising(error: Exception) -> Callable[[], str]:
    def view() -> str:
        raise error

    return view


def test_a_database_that_is_away_is_said_so() -> None:
    """503 with what it means and what to do, and the process itself still lives."""
    engine = connect("postgresql://nobody@127.0.0.1:1/none")
    client = _client(engine)
    answer = _get(client, "/")
    assert answer.status_code == 503
    assert "The database is away" in answer.text
    assert answer.headers["Retry-After"] == "5"
    assert _get(client, "/livez").status_code == 200


def test_gauges_say_what_the_overview_says(client: FlaskClient) -> None:
    """Prometheus reads the same counts, made when asked for."""
    families = text_string_to_metric_families(_get(client, "/metrics").text)
    found = {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}
    assert found["tieout_events_open", "in-flight"] == 20
    assert found["tieout_events_parked", "unknown-shape"] == 1
    assert found["tieout_breaker_open", GATEWAY] == 1
    assert found["tieout_refusals_last_hour", "bad-checksum"] == 39
    assert found[("tieout_broker_up",)] == 0
