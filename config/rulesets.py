"""Rule sets: versioned files of what is forgiven and how long is waited, checked whole before they count."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from recon.numbers import NotANumberError, exact
from recon.values import Policy

RULES_FOLDER = Path(__file__).with_name("rules")
MOST_PLACES = 6
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LONGEST = 7 * 24 * 60  #: minutes of grace: a week


class BadRuleSetError(ValueError):
    """The file is no rule set; the message lists everything that is wrong with it and what to write."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """One version of a rule set, with the file it stands in."""

    file: Path
    why: str
    policy: Policy

    @property
    def name(self) -> str:
        """As verdicts keep it: name@version."""
        return self.policy.name


def rule_sets(folder: Path = RULES_FOLDER) -> list[RuleSet]:
    """Every rule set that ships, by name and version. Raises `BadRuleSetError`."""
    return sorted((read_rule_set(file) for file in folder.glob("*.toml")), key=lambda each: each.name)


def find_rule_set(named: str, folder: Path = RULES_FOLDER) -> RuleSet:
    """A rule set by its file, by name@version, or by its name alone: then the newest. Raises `BadRuleSetError`."""
    if named.endswith(".toml"):
        return read_rule_set(Path(named))
    known = rule_sets(folder)
    found = [each for each in known if named in (each.name, each.name.partition("@")[0])]
    if not found:
        names = ", ".join(each.name for each in known)
        raise BadRuleSetError(f"there is no rule set {named!r}: name a file ending in .toml, or one of {names}")
    return max(found, key=lambda each: int(each.name.partition("@")[2]))


@lru_cache(maxsize=32)
def read_rule_set(file: Path) -> RuleSet:
    """The rule set in that file. Raises `BadRuleSetError`."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        raise BadRuleSetError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRuleSetError(f"{file}: {error}") from None
    reading = _Reading(document)
    policy = reading.policy()
    problems = [*reading.problems, *reading.strangers()]
    if file.stem not in (policy.name, policy.name.partition("@")[0]) and not problems:
        problems.append(f"the file holds {policy.name}: call it {policy.name}.toml")
    if problems:
        raise BadRuleSetError("\n".join(f"{file}: {problem}" for problem in problems))
    return RuleSet(file=file, why=str(document.get("why", "")), policy=policy)


@dataclass(slots=True)
class _Reading:
    """One document as it is read, with everything found wrong."""

    document: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)
    asked: set[tuple[str, str]] = field(default_factory=set)

    def policy(self) -> Policy:
        """What the document says; where it says nonsense, a problem is noted and the usual value stands."""
        usual = Policy()
        name = self._value("", "name", "", _a_name)
        return Policy(
            name=f"{name}@{self._value('', 'version', 0, _a_version)}",
            price_places_ours=self._value("precision", "our_price", usual.price_places_ours, _places),
            price_places_theirs=self._value("precision", "gateway_price", usual.price_places_theirs, _places),
            amount_places=self._value("precision", "gateway_amount", usual.amount_places, _places),
            price_slack=self._value("slack", "rupees", usual.price_slack, _figure),
            slack_ticks=self._value("slack", "ticks", usual.slack_ticks, _figure),
            slack_bps=self._value("slack", "bps", usual.slack_bps, _figure),
            slack_cap=self._value("slack", "cap_rupees", None, _figure),
            webhook_grace=self._value("grace", "webhook_minutes", usual.webhook_grace, _minutes),
            open_grace=self._value("grace", "open_minutes", usual.open_grace, _minutes),
            books_due=self._value("books", "due", usual.books_due, _hour),
        )

    def strangers(self) -> Iterator[str]:
        """What stands in the document and means nothing: a word mistyped must not be a rule forgotten."""
        known = {key for _, key in self.asked if _ == ""} | {section for section, _ in self.asked} | {"why"}
        for key, value in self.document.items():
            if key not in known:
                yield f"{key} means nothing here: use {', '.join(sorted(k for k in known if k))}"
            elif isinstance(value, dict):
                keys = {name for section, name in self.asked if section == key}
                strange = [name for name in value if name not in keys]
                yield from (f"[{key}] {name} means nothing: use {', '.join(sorted(keys))}" for name in strange)

    def _value(self, section: str, key: str, usual: Any, read: Callable[[object], Any]) -> Any:
        self.asked.add((section, key))
        place = self.document.get(section, {}) if section else self.document
        where = f"[{section}] {key}" if section else key
        if not isinstance(place, dict):
            self.problems.append(f"{section} is a section: write [{section}] on a line of its own")
        elif key in place or not section:
            try:
                return read(place.get(key))
            except ValueError as error:
                self.problems.append(f"{where} = {place.get(key)!r}: {error}")
        return usual


def _a_name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("a name of small letters, digits and hyphens")
    return value


def _a_version(value: object) -> int:
    return _whole(value, 1, 10**6, "a version: a whole number from 1 on")


def _places(value: object) -> int:
    return _whole(value, 0, MOST_PLACES, f"decimal places: a whole number from 0 to {MOST_PLACES}")


def _minutes(value: object) -> timedelta:
    return timedelta(minutes=_whole(value, 0, _LONGEST, f"minutes: a whole number from 0 to {_LONGEST}"))


def _whole(value: object, least: int, most: int, wanted: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(wanted)
    return value


def _figure(value: object) -> Decimal:
    if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool):
        try:
            figure = exact(value)
        except NotANumberError:
            figure = Decimal(-1)
        if figure >= 0:
            return figure
    raise ValueError('a number from 0 on, in quotes: "0.05"')


def _hour(value: object) -> time:
    try:
        at = value if isinstance(value, time) else time.fromisoformat(str(value))
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise ValueError('an hour of the day in IST: "20:00"')
    return at
