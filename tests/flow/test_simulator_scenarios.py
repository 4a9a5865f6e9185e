"""Scenario files: each of the repository's plays to its end; what is wrong in one is said."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest
import requests

from simulator.scenario import BadScenarioError, read_scenario
from tests.playing import ENV, Edge, Running, command, free_port, started, wait_for

SCENARIOS = sorted((Path(__file__).parents[2] / "simulator" / "scenarios").glob("*.toml"))
pytestmark = pytest.mark.filterwarnings("ignore:The HMAC key is")
NEXT = {"SIMULATOR_NEXT_JWT_SECRET": "third-secret", "SIMULATOR_NEXT_API_SECRET": "fourth-secret"}


@pytest.fixture(name="edge")
def _edge(tmp_path: Path) -> Iterator[Edge]:
    """An edge that listens."""
    edge = Edge(clock=tmp_path / "clock")
    edge.start()
    yield edge
    edge.stop()


def through(simulator: Running) -> dict[str, object]:
    """Play it to its end; the last status."""
    assert simulator.post("/control/play") == 200
    while True:
        wait_for(lambda: simulator.status()["phase"] in {"holding", "done"})
        if simulator.status()["phase"] == "done":
            return simulator.status()
        assert simulator.post("/control/continue") == 200


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_plays_to_its_end(
    file: Path, tmp_path: Path, edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left to post, and the service did nothing wrong."""
    for name, value in NEXT.items():
        monkeypatch.setenv(name, value)
    edge.secrets = [b"another-secret", b"fourth-secret"]
    with started(tmp_path, edge, "--scenario", str(file)) as simulator:
        status = through(simulator)
        page = requests.get(simulator.url, timeout=5)
    assert status["posted"] == status["to_post"]
    assert status["faults"] == 0
    assert read_scenario(file).title in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_the_titles_of_scenarios_are_told_apart() -> None:
    """Each has a title, a story of more than a sentence, and a name that speaks."""
    scenarios = [read_scenario(file) for file in SCENARIOS]
    assert len(scenarios) >= 8
    assert len({scenario.title for scenario in scenarios}) == len(scenarios)
    assert all(scenario.story.strip().count(".") >= 2 for scenario in scenarios)


TITLED = 'title = "x"\nstory = "y"\n'
PERSON = '[[person]]\nname = "asha"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("title = ", "Invalid value"),
        ('story = "y"', "`title` is missing"),
        (TITLED + "daet = 2026-11-18", "nobody knows `daet`: did you mean `date`?"),
        (TITLED + "date = 2026-11-24", "the exchange is closed on 2026-11-24"),
        (TITLED + 'date = "soon"', "`date` is a date, as 2026-11-18, not 'soon'"),
        (TITLED + 'until = "2026-11-01"', "`until` is a date from 2026-11-18"),
        (TITLED + "[day]\nwithhold = 1.5", r"\[day\]: `withhold` is a number from 0 to 1, not 1.5"),
        (TITLED + PERSON + 'broker = "kit"', "person 1: `broker` is one of kite, .*not 'kit'"),
        (TITLED + PERSON + "holds = {INFY = -1}", "person 1: `holds` is whole numbers by symbol"),
        (TITLED + PERSON + "holds = {NOPE = 1}", "person 1: `holds` names 'NOPE'; there are"),
        (TITLED + PERSON + PERSON, "two persons have the same name"),
        (TITLED + '[[step]]\nat = "10:00"\nperson = "om"\nbuy = {INFY = 1}', "step 1: no .*person.* is called 'om'"),
        (TITLED + PERSON + '[[step]]\nat = "10:00"\nperson = "asha"', "step 1: a TRANSACTION, and no other intent"),
        (TITLED + PERSON + '[[step]]\nat = "25:00"\nperson = "asha"', 'step 1: `at` is a time, as "10:30"'),
        (TITLED + '[[fault]]\nwhat = "fire"', "fault 1: `what` is one of 400, .*not 'fire'"),
        (
            TITLED + PERSON + '[[step]]\nat = "10:00"\nperson = "asha"\nintent = "CANCEL_AMO"\nof = "x"\nsymbol="ITC"',
            "step 1: no step before it has the name 'x'",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_scenario_is_said(tmp_path: Path, text: str, says: str) -> None:
    """With the file, the place, and what may stand there."""
    file = tmp_path / "scenario.toml"
    file.write_text(text)
    with pytest.raises(BadScenarioError, match=f"scenario.toml: .*{says}"):
        read_scenario(file)


def test_a_scenario_may_be_json(tmp_path: Path) -> None:
    """The same tables in the other notation."""
    file = tmp_path / "scenario.json"
    step = {"at": "2026-11-19 10:00", "person": "asha", "buy": {"INFY": 1}}
    file.write_text(json.dumps({"title": "x", "story": "y", "person": [{"name": "asha"}], "step": [step]}))
    assert read_scenario(file).steps[0].at.isoformat() == "2026-11-19T04:30:00+00:00"


def test_a_bad_scenario_ends_the_simulator_at_once(tmp_path: Path) -> None:
    """With status 2 and the reason, before anything is listened on."""
    file = tmp_path / "scenario.toml"
    file.write_text("title = 1")
    argv = command(tmp_path, free_port(), "http://127.0.0.1:1/", "--scenario", str(file))
    done = subprocess.run(argv, env=ENV, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 2
    assert done.stderr == f"simulator: {file}: `title` is a text, not 1\n"


def test_the_company_s_files_tell_what_its_people_did(tmp_path: Path, edge: Edge) -> None:
    """Transactions, order lines, positions and the truth, by what the steps say."""
    file = next(path for path in SCENARIOS if path.stem == "overnight")
    with started(tmp_path, edge, "--scenario", str(file)) as simulator:
        through(simulator)
        home = simulator.home
        truth = json.loads(simulator.get("/control/truth"))
    transactions = (home / "transactions.csv").read_text().splitlines()
    orders = (home / "orders.csv").read_text().splitlines()
    assert len(transactions) == 1 + 4
    assert sum(",COMPLETE," in line for line in orders) == 2
    assert sum("CANCELLED AMO" in line for line in orders) == 1
    (finding,) = truth["findings"]
    assert (finding["name"], finding["line"]) == ("partial-residual", "ORD-S0001-01")
    held = [line.split(",")[4:6] for line in (home / "positions.csv").read_text().splitlines()[1:]]
    assert held == [["INFY", "4"], ["ITC", "20"], ["TCS", "4"], ["WIPRO", "7"]]


def test_a_person_can_be_made_to_act(tmp_path: Path, edge: Edge) -> None:
    """A transaction that the API made is begun over the control API; the client's token comes back."""
    file = next(path for path in SCENARIOS if path.stem == "imports")
    with started(tmp_path, edge, "--scenario", str(file)) as simulator:
        url = f"{simulator.url}/control/act"
        wrong = requests.post(url, json={"transaction_id": "TRX_0", "person": "asha"}, timeout=5)
        nobody = requests.post(url, json={"transaction_id": "TRX_0", "person": "zoe"}, timeout=5)
        simulator.post("/control/advance?to=2026-11-18T04:00:05Z")
        wait_for(lambda: simulator.status()["advancing"] is False)
        made = [json.loads(line) for line in simulator.get("/control/transactions").splitlines()]
        asked = {"transaction_id": made[0]["transaction_id"], "person": "asha", "does": "completes"}
        done = requests.post(url, json=asked, timeout=5).json()
        again = requests.post(url, json=asked, timeout=5)
    assert (wrong.status_code, nobody.status_code, again.status_code) == (400, 400, 409)
    assert (done["ends"], done["error"]) == ("COMPLETED", None)
    assert done["smallcaseAuthToken"].count(".") == 2


def test_people_come_of_themselves_to_what_the_api_made(tmp_path: Path, edge: Edge) -> None:
    """By seed: some buy, some turn away, some never come; the same each time."""
    ends = []
    for _ in range(2):
        with started(tmp_path, edge, "--habits", "--transactions", "20") as simulator:
            simulator.post("/control/advance?to=2026-11-18T05:00:00Z")
            wait_for(lambda: simulator.status()["advancing"] is False)
            made = [created(simulator.url) for _ in range(30)]
            simulator.post("/control/advance?by=600")
            wait_for(lambda: simulator.status()["advancing"] is False)
            lines = map(json.loads, simulator.get("/control/transactions").splitlines())
            ends.append([line["status"] for line in lines if line["transaction_id"] in made])
    assert ends[0] == ends[1]
    assert {"COMPLETED", "INITIALIZED", "ERRORED"} <= set(ends[0])
    assert ends[0].count("COMPLETED") > 15


def created(url: str) -> str:
    """A transaction that the API made."""
    basket = {"type": "SECURITIES", "securities": [{"ticker": "INFY", "quantity": 2, "type": "BUY"}]}
    token = jwt.encode({"guest": True, "exp": int(time.time()) + 60}, ENV["SIMULATOR_JWT_SECRET"], algorithm="HS256")
    reply = requests.post(
        f"{url}/gateway/simulated/transaction",
        json={"intent": "TRANSACTION", "orderConfig": basket},
        headers={"x-gateway-secret": ENV["SIMULATOR_API_SECRET"], "x-gateway-authtoken": token},
        timeout=5,
    )
    return str(reply.json()["data"]["transactionId"])


def test_what_is_not_taken_comes_again_on_the_schedule(tmp_path: Path, edge: Edge) -> None:
    """After a quarter of an hour, a day and two days, counted from the first time."""
    file = next(path for path in SCENARIOS if path.stem == "webhooks-come-again")
    with started(tmp_path, edge, "--scenario", str(file)) as simulator:
        edge.refuse_next = 3
        through(simulator)
        log = [json.loads(line) for line in simulator.get("/control/log").splitlines()]
    retries = [line for line in log if line["what"] == "retry"]
    again = [line for line in log if line["what"] == "post" and "attempt" in line]
    assert len(retries) == 3
    assert [(line["kind"], line["attempt"], line["instant"][:16]) for line in again] == [
        ("completed", "1", "2026-11-18T04:16"),
        ("placed", "2", "2026-11-19T04:00"),
    ]
    assert len(edge.bodies) == 6
