"""What goes wrong with the API's answers: by chance, by script, or switched on by hand."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from simulator.orders import Json
from simulator.serving import HTML, RESET, Reply, refusal
from simulator.table import Table

STATUSES = ("400", "408", "425", "429", "500", "502", "503", "504")
WHATS = (
    *STATUSES, "stall", "drip", "reset", "half", "html", "empty", "wrong-types", "missing-fields", "extra-fields",
)  # fmt: skip
PATHS = ("transactiondetails", "orders", "transaction", "user/holdings", "user/investments", "verifyOtp")
_PAGE = b"<!doctype html><title>502</title><h1>Bad gateway</h1>"
_NEEDED = frozenset({"status", "batchId", "tradingsymbol", "transactionType", "quantity", "isin", "ticker"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong with some answers."""

    what: str
    share: float = 1.0  #: of the answers it concerns, by chance
    times: int = 0  #: of each transaction or account at most so often; 0 is without limit
    path: str = ""  #: of that question alone
    about: str = ""  #: of that transaction or account alone
    since: datetime | None = None
    until: datetime | None = None
    for_s: float = 2.0  #: how long a stall takes, or a dripping answer
    retry_after_s: int = 1

    def concerns(self, path: str, about: str, now: datetime) -> bool:
        """Whether it may befall that answer."""
        if (self.path and self.path != path) or (self.about and self.about not in about.split(",")):
            return False
        return (self.since is None or self.since <= now) and (self.until is None or now < self.until)


class Faults:
    """The faults that are on. The same seed and the same questions give the same faults."""

    def __init__(self, seed: int, scripted: Sequence[Fault] = ()) -> None:
        """Begin with these."""
        self._chance = random.Random(f"{seed} faults")
        self.scripted = list(scripted)
        self._met: Counter[tuple[int, str]] = Counter()
        self.done: Counter[str] = Counter()  #: how often each kind befell an answer

    def befall(self, path: str, about: str, now: datetime, good: Reply) -> Reply:
        """The answer as it leaves: the first fault that strikes, or the good one."""
        for place, fault in enumerate(self.scripted):
            if not fault.concerns(path, about, now) or (fault.times and self._met[place, about] >= fault.times):
                continue
            if self._chance.random() < fault.share:
                self._met[place, about] += 1
                self.done[fault.what] += 1
                return broken(good, fault)
        return good


def broken(good: Reply, fault: Fault) -> Reply:
    """That answer with that fault."""
    if fault.what in STATUSES:
        pause = fault.retry_after_s if fault.what in {"429", "503"} else None
        return refusal(
            int(fault.what), "too many requests" if fault.what == "429" else "internal_error", retry_after_s=pause
        )
    makes: Mapping[str, Callable[[], Reply]] = {
        "stall": lambda: Reply(status=good.status, body=good.body, delay_s=fault.for_s),
        "drip": lambda: Reply(status=good.status, body=good.body, drip_s=fault.for_s),
        "reset": lambda: RESET,
        "half": lambda: Reply(status=good.status, body=good.body[: len(good.body) // 2]),
        "html": lambda: Reply(body=_PAGE, kind=HTML),
        "empty": lambda: Reply(status=good.status),
        "wrong-types": lambda: _changed(good, _wrong_types),
        "missing-fields": lambda: _changed(good, _missing_fields),
        "extra-fields": lambda: _changed(good, _extra_fields),
    }
    return makes[fault.what]()


def read_fault(table: Table, on: date) -> Fault:
    """The fault that a scenario or a request describes. Raises `BadTableError`."""
    return Fault(
        what=table.text("what", among=WHATS),
        share=table.number("share", 1.0, most=1.0),
        times=table.whole("times", 0),
        path=table.text("path", "", among=("", *PATHS)),
        about=table.text("about", ""),
        since=table.instant("from", on) if table.has("from") else None,
        until=table.instant("until", on) if table.has("until") else None,
        for_s=table.number("for_s", 2.0, most=600.0),
        retry_after_s=table.whole("retry_after_s", 1),
    )


def _changed(good: Reply, change: Callable[[object], object]) -> Reply:
    try:
        document = json.loads(good.body)
    except ValueError:
        return good
    body = json.dumps(change(document), separators=(",", ":")).encode()
    return Reply(status=good.status, body=body, headers=good.headers)


def _wrong_types(value: object) -> object:
    """Numbers become lists, texts that are needed become objects."""
    if isinstance(value, dict):
        return {key: {} if key in _NEEDED and isinstance(v, str) else _wrong_types(v) for key, v in value.items()}
    if isinstance(value, list):
        return [_wrong_types(each) for each in value]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else value


def _missing_fields(value: object) -> object:
    """What is needed is not there."""
    if isinstance(value, dict):
        return {key: _missing_fields(v) for key, v in value.items() if key not in _NEEDED}
    return [_missing_fields(each) for each in value] if isinstance(value, list) else value


def _extra_fields(value: object) -> object:
    """Every object has keys that nobody knows; it means the same."""
    if isinstance(value, list):
        return [_extra_fields(each) for each in value]
    if not isinstance(value, dict):
        return value
    more: Json = {"newField": "news", "meta": {"rev": 2, "flags": [True, None]}}
    return {**{key: _extra_fields(v) for key, v in value.items()}, **more}
