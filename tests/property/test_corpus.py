"""The corpus: every planted break gives exactly its closure, alone, combined, and field by field."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import fields, is_dataclass
from importlib.metadata import PackageNotFoundError
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from bench import peers
from bench.corpus import CLEAN, PLANTERS, PLANTS, of_kind
from bench.corpus.combined import above_the_lines, in_one_batch, on_one_line
from bench.corpus.draw import SESSIONS, TUESDAY, Draw
from bench.corpus.figures import Size
from bench.corpus.measure import measure, wrong_prices
from bench.corpus.mutations import MUTATIONS, base, mutate
from bench.corpus.orders import judge_all, told
from bench.corpus.pure import judged, said_of
from bench.corpus.score import Said, Score
from bench.corpus.story import HOLIDAYS, Answer, Batch, Found, Leg, Row, Story, is_session, next_session
from bench.peers import datacompy
from bench.ticks import INSIDE, OUTSIDE, TICKS, pairs
from config.calendar import exchange_calendar
from recon import judge
from recon.judge import rule_name
from recon.names import CLASS_OF

KINDS = sorted({plant.kind for plant in PLANTS})
#: Order breaks that are planted in contract notes: tests/property/test_notes_corpus.py.
OF_NOTES = {"charge", "net", "note-missing", "note-diff"}


def came_out(stories: Iterator[Story]) -> list[str]:
    """The stories that came out otherwise than is true, in words."""
    return judge_all(stories).wrong


@pytest.mark.parametrize("kind", KINDS)
def test_a_plant_gives_exactly_its_closure(kind: str) -> None:
    """Each variant, twice over: all that is true is found, nothing else, each line in its bucket."""
    draw = Draw(4)

    assert came_out(one for _ in range(2) for plant in of_kind(kind) for one in plant.story(draw).family) == []


def test_faults_of_one_line_are_all_found() -> None:
    """Two to six faults of one line of the books give the findings of each."""
    assert came_out(on_one_line(Draw(5))) == []


def test_breaks_beside_each_other_do_not_hide_one_another() -> None:
    """Batches that hold several planted lines give the closures of all of them."""
    assert came_out(in_one_batch(Draw(6), 100)) == []


def test_breaks_of_batches_do_not_hide_those_of_their_lines() -> None:
    """Sums, webhooks, answers taken back and unknown words are found beside whatever is wrong with the lines."""
    assert came_out(above_the_lines(Draw(16), 100)) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.title)
def test_a_mutation_changes_one_field_and_no_other(mutation: Any) -> None:
    """What is said to change one field of a clean transaction does so."""
    before = base(Draw(7))
    after = mutate(deepcopy(before), mutation)

    assert list(changed(before, after, "story")) == [f"{mutation.where.split()[-1]}.{mutation.field}"]


@pytest.mark.parametrize(("where", "of"), [("row", Row), ("leg", Leg), ("batch", Batch), ("answer", Answer)])
def test_every_field_is_changed_by_some_mutation(where: str, of: type) -> None:
    """A field that is added to the corpus wants a mutation, or a reason here."""
    changed_by = {mutation.field for mutation in MUTATIONS if mutation.where == where}

    assert {field.name for field in fields(of)} - changed_by == UNCHANGED.get(where, set())


#: How two answers lie to each other, and what only several answers can say, is planted as whole stories.
UNCHANGED = {"answer": {"overlaps", "garbled", "requested"}}


def changed(before: Any, after: Any, where: str) -> Iterator[str]:
    """The fields in which two stories differ, but for their truth."""
    if is_dataclass(before):
        for field in fields(before):
            if field.name != "truth":
                pair = getattr(before, field.name), getattr(after, field.name)
                yield from changed(*pair, f"{NAMES.get(type(before).__name__, where)}.{field.name}")
    elif isinstance(before, list) and len(before) == len(after):
        for one, other in zip(before, after, strict=True):
            yield from changed(one, other, where)
    elif before != after:
        yield where


NAMES = {"Row": "row", "Leg": "leg", "Batch": "batch", "Answer": "answer", "Webhook": "heard"}


def test_a_clean_day_with_one_field_changed_says_exactly_that() -> None:
    """A day of everything that looks like a break and is none, and one changed transaction in it."""
    draw = Draw(8)
    day = [one for plant in of_kind(CLEAN) for one in plant.story(draw).family]
    quiet = judge_all(iter(day))

    for mutation in MUTATIONS:
        score = Score()
        score.plus(quiet)
        story = mutate(base(draw), mutation)
        score.add(story, said_of(story))
        named = [name.removesuffix("*") for name in mutation.closure.split()]
        assert {name: tally.found for name, tally in score.by_kind.items()} == {n: named.count(n) for n in named}
        assert (score.wrong, score.unaccounted) == ([], 0)


def test_every_order_break_is_planted() -> None:
    """The corpus holds each name of docs/breaks.md about orders, but for what needs contract notes."""
    planted = {found.name for story in told(9, 1, 0) for found in story.truth}
    orders = {name for name in CLASS_OF if name in list(CLASS_OF)[: list(CLASS_OF).index("payload-invalid") + 1]}

    assert orders - planted <= OF_NOTES
    assert planted <= set(CLASS_OF)


def test_every_rule_is_met_by_some_plant() -> None:
    """Each rule of the judge finds something in the corpus: none goes by untested."""
    rules = {rule_name(rule) for name, rules in vars(judge).items() if name.endswith("_RULES") for rule in rules}
    draw = Draw(10)
    stories = [one for plant in PLANTS for one in plant.story(draw).family]
    met = {finding.rule for story in stories for finding in judged(story).all_findings()}

    told_elsewhere = {"webhooks.holdings-differ"}  # by what an account holds: tests/flow/test_holdings_claims.py
    assert {rule for rule in rules - met - told_elsewhere if not rule.startswith("notes.")} == set()


def test_the_truth_is_written_without_the_rules() -> None:
    """What plants imports nothing of ours but the corpus itself: it cannot copy a rule's mistake."""
    folder = Path(PLANTERS[0].__file__ or "").parent
    judging = {"pure.py", "stored.py", "measure.py", "figures.py", "market.py", "notes.py", "held.py", "held_cases.py"}
    ours = {
        f"{path.name}: {module}"
        for path in folder.glob("*.py")
        if path.name not in judging
        for module in imported(path)
        if module.split(".")[0] in {"recon", "tieout", "store", "gateway", "books", "inbox", "config", "simulator"}
    }

    assert ours == set()


def imported(path: Path) -> Iterator[str]:
    """The modules that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_a_seed_tells_the_same_corpus_every_time() -> None:
    """Two runs of one seed are alike to the last id; another seed is another corpus."""
    first, again, other = (list(islice(told(seed, 1, 3), 200)) for seed in (11, 11, 12))

    assert [repr(story.rows) for story in first] == [repr(story.rows) for story in again]
    assert first[0].transaction_id != other[0].transaction_id


def test_the_corpus_knows_the_exchange_s_holidays() -> None:
    """Its own short list of sessions is the calendar's, in the weeks in which it plays."""
    calendar = exchange_calendar()

    assert all(not calendar.is_session(day) for day in HOLIDAYS)
    assert all(calendar.session_after(day) == next_session(day) for day in (*SESSIONS, TUESDAY))
    assert not is_session(TUESDAY)


def test_the_score_counts_what_is_missed_invented_or_misplaced() -> None:
    """A judge that keeps silent, talks too much, or puts a line elsewhere is found out."""
    story = of_kind("price-out")[0].story(Draw(13))
    said = said_of(story)
    row = story.rows[0]
    score = Score()
    score.add(story, Said(found=[], ours=said.ours, theirs=said.theirs))
    score.add(
        story, Said(found=[*said.found, Found("side", row.order_id, "break")], ours=said.ours, theirs=said.theirs)
    )
    score.add(story, Said(found=said.found, ours=dict.fromkeys(said.ours, "overfill"), theirs=said.theirs))

    assert (score.by_kind["price-out"].missed, score.by_kind["side"].invented) == (1, 1)
    assert score.by_kind["price-out"].recall < 1
    assert score.by_kind["side"].precision == 0
    assert score.unaccounted >= len(story.rows)
    assert len(score.wrong) == 3


def test_a_finding_with_another_state_is_not_the_planted_one() -> None:
    """A break that is reported while its grace runs is an invention, and what should be pending is missed."""
    story = next(plant for plant in of_kind("books-behind") if plant.variant.startswith("at")).story(Draw(14))
    said = said_of(story)
    loud = [Found(found.name, found.line, "break") for found in said.found]
    score = Score()
    score.add(story, Said(found=loud, ours=said.ours, theirs=said.theirs))

    assert (score.by_kind["books-behind"].missed, score.by_kind["books-behind"].invented) == (1, 1)


# ---------------------------------------------------------------- through the tables


SMALL = Size(seeds=(1,), repeats=0, batches=0, stored_repeats=0, stored_batches=4, ticks=90)


def test_the_tables_say_what_the_rules_say(engine: Engine, tmp_path: Path) -> None:
    """Imported, stored and reconciled, batches with several breaks come out as planted; no line is unaccounted for."""
    figures = measure(SMALL, engine, tmp_path, say=lambda _text: None)

    assert figures.problems() == []
    assert figures.whole.wrong == []
    assert set(figures.as_dict()) >= {
        "recall",
        "precision",
        "tick_pairs",
        "tick_wrong",
        "unaccounted",
        "peers",
        "by_break",
    }


def test_prices_on_the_edge_of_one_tick_are_judged_exactly(engine: Engine, tmp_path: Path) -> None:
    """A third equal, a third one tick apart, a third a millionth further, of three ticks: none is judged wrong."""
    told_pairs = pairs(270, 3)

    assert {pair.tick for pair in told_pairs} == set(TICKS)
    assert all(abs(pair.ours - pair.theirs) == pair.tick for pair in told_pairs if pair.bucket == INSIDE)
    assert sum(pair.bucket == OUTSIDE for pair in told_pairs) == 90
    assert wrong_prices(told_pairs, engine, tmp_path) == set()


def test_a_peer_is_measured_on_the_same_pairs() -> None:
    """Datacompy says how many of them it gets wrong; where it is not installed, that is said."""
    pytest.importorskip("datacompy")
    said = datacompy(pairs(270, 3))

    assert said["pairs"] == 270
    assert isinstance(said["wrong"], int)


def test_a_peer_that_is_not_installed_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures then hold no number for it, but a word that nobody overlooks."""

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(peers, "version", missing)

    assert str(datacompy(pairs(9, 3))["error"]).startswith("NOT INSTALLED")
