"""A simulated day, played through the real service: what the simulator is told and asked."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import requests

from config.settings import Settings

GATEWAY = "simulated"
ORDERS_PATH = "/v1/{gateway}/engine/orders"
CALL_S = 5.0

Finding = tuple[str, str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The simulated gateway's two secrets, made anew for each rehearsal."""

    jwt: str
    api: str

    def of_service(self) -> dict[str, str]:
        """As settings of the service."""
        return {"TIEOUT_GATEWAY_SECRETS": f"sim1:{self.jwt}", "TIEOUT_GATEWAY_API_SECRETS": f"sim1:{self.api}"}

    def of_simulator(self) -> dict[str, str]:
        """As settings of the simulator."""
        return {"SIMULATOR_JWT_SECRET": self.jwt, "SIMULATOR_API_SECRET": self.api}


def keys_in(folder: Path) -> Keys:
    """The keys kept in that folder, made at the first call."""
    file = folder / "keys.json"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(json.dumps({"jwt": secrets.token_hex(24), "api": secrets.token_hex(24)}))
    return Keys(**json.loads(file.read_text()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Where the simulated day stands."""

    phase: str
    step: str
    instant: datetime
    posted: int
    to_post: int


@dataclass(frozen=True, slots=True)
class Simulator:
    """The running simulator's control address."""

    url: str

    def status(self) -> Status:
        """Where the day stands. Raises `requests.RequestException`."""
        said = self._get("status")
        return Status(
            phase=str(said["phase"]),
            step=str(said["step"]),
            instant=datetime.fromisoformat(str(said["instant"])),
            posted=int(str(said["posted"])),
            to_post=int(str(said["to_post"])),
        )

    def play(self) -> None:
        """Begin the day."""
        self._post("play")

    def carry_on(self) -> None:
        """Go on after a hold."""
        self._post("continue")

    def _get(self, what: str) -> Mapping[str, object]:
        answer = requests.get(f"{self.url}/control/{what}", timeout=CALL_S)
        answer.raise_for_status()
        found: Mapping[str, object] = answer.json()
        return found

    def _post(self, what: str) -> None:
        requests.post(f"{self.url}/control/{what}", timeout=CALL_S).raise_for_status()


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What was planted in the simulated day."""

    trade_date: date
    findings: frozenset[Finding]
    events: Mapping[str, int]
    held: frozenset[Finding] | None = None  #: of holdings, as name, account, ISIN; None if it tells nothing of them


def truth_in(folder: Path) -> Truth:
    """The simulator's ground truth."""
    said = json.loads((folder / "truth.json").read_text())
    return Truth(
        trade_date=date.fromisoformat(said["trade_date"]),
        findings=frozenset((f["name"], f["transaction_id"], f["line"]) for f in said["findings"]),
        events=said["events"],
        held=frozenset((f["name"], f["account"], f["isin"]) for f in said["held"]) if "held" in said else None,
    )


def planted_alerts(settings: Settings) -> frozenset[tuple[str, str]]:
    """Name and subject of the alerts that a simulated day is to raise; none while it has not told its truth."""
    truth = settings.home / "simulator" / "truth.json"
    if not settings.simulated or not truth.exists():
        return frozenset()
    return frozenset((alert["name"], alert["subject"]) for alert in json.loads(truth.read_text()).get("alerts", ()))


def compared(planted: frozenset[Finding], found: frozenset[Finding]) -> dict[str, object]:
    """Planted against found: four counts, over all and by name."""
    names = sorted({name for name, _, _ in planted | found})
    by_name = {name: _counts(_named(planted, name), _named(found, name)) for name in names}
    return {**_counts(planted, found), "by_break": by_name}


def _counts(planted: frozenset[Finding], found: frozenset[Finding]) -> dict[str, int]:
    return {
        "planted": len(planted),
        "found": len(planted & found),
        "missed": len(planted - found),
        "invented": len(found - planted),
    }


def _named(findings: frozenset[Finding], name: str) -> frozenset[Finding]:
    return frozenset(finding for finding in findings if finding[0] == name)
