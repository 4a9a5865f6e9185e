"""Why a line ended up where it did, in words that finance uses: key, both values, tolerance, who was refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from recon.candidates import refusal
from recon.decided import Ruling
from recon.ends import ending, filled_of
from recon.items import items_of, pairing_of
from recon.keys import their_keys
from recon.lines import broker_of, plain_text
from recon.market import Market
from recon.scene import Item, shown
from recon.tolerance import Bound, bound_at
from recon.values import Case, Finding, Judgement, OurLine, Policy, TheirLine
from recon.words import leg_word, our_word

LISTED = 20  #: refused candidates of one line
NOT_STATED = "only one side states it"

#: How a pair was found, by its rung.
STEPS = (
    "a person decided that they are one",
    "both name the same exchange and exchange order id",
    "the same instrument, side and figures: such lines may be swapped, so there is nothing to guess",
    "the only line left on each side with that instrument and side",
    "the only line left on each side; two of instrument, side and quantity agree",
    "one order told in parts: ordered and filled quantities add up exactly",
)

Raw = Mapping[str, str]  #: a line's own text, by the names of `Compared.field`


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One field on both sides: as it came, as it was compared, and what came of it."""

    field: str
    ours_raw: str | None
    ours: str | None
    theirs_raw: str | None
    theirs: str | None
    tolerance: str  #: "none, ever" or what is allowed and what of it was used
    says: str  #: the same, a finding's name, or why it was not compared


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A line of the other side that could have been meant, and why it is not."""

    line: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One order on both sides, or the side there is."""

    ours: tuple[str, ...]  #: our order ids, several where the books keep parts
    theirs: tuple[str, ...]  #: keys of the Gateway's legs
    bucket: str
    step: int | None
    key: str  #: in words: what made them a pair, or why there is none
    compared: tuple[Compared, ...]
    refused: tuple[Refused, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """All that explaining one judged transaction needs."""

    case: Case
    judgement: Judgement
    policy: Policy
    market: Market
    our_raw: Mapping[int, Raw]  #: by line
    their_raw: Mapping[int, Raw]

    def all(self) -> tuple[Explanation, ...]:
        """Every order of the transaction, each line once."""
        items = items_of(self.case, pairing_of(self.case))
        return tuple(self._explained(item, items) for item in items)

    def _explained(self, item: Item, items: Sequence[Item]) -> Explanation:
        keys = their_keys(self.case.theirs)
        bucket, findings = self._verdict(item)
        return Explanation(
            ours=tuple(line.order_id for line in item.our_lines()),
            theirs=tuple(keys[line.line] for line in item.their_lines()),
            bucket=bucket,
            step=item.rung,
            key=self._key(item),
            compared=tuple(self._compared(item, findings)) if item.pair else (),
            refused=tuple(self._refused(item, items, keys))[:LISTED],
            findings=findings,
        )

    def _verdict(self, item: Item) -> tuple[str, tuple[Finding, ...]]:
        ours, theirs = item.our_lines(), item.their_lines()
        for verdict in self.judgement.verdicts:
            if (ours and verdict.ours == ours[0].line) or (not ours and verdict.theirs == theirs[0].line):
                return verdict.bucket, verdict.findings
        raise AssertionError(f"{item.subject}: judged and not in a bucket")

    def _key(self, item: Item) -> str:
        if item.copied:
            return "a leg told a second time, equal in everything: the first one speaks for both"
        if item.doubled and not item.ambiguous:
            return "another line of ours names the same exchange order and is its pair"
        if item.ambiguous:
            return "several lines could be this one, so none was chosen: tieout match together settles it"
        if item.rung is None:
            return "no line on the other side can be this one"
        return STEPS[item.rung] + self._detail(item)

    def _detail(self, item: Item) -> str:
        if item.rung == 1 and item.theirs is not None:
            return f": {item.theirs.leg.exchange} {item.theirs.leg.exchange_order_id}"
        said = [d for d in self.case.decisions if item.ours is not None and d.ours == item.ours.order_id]
        if item.rung == 0 and said:
            return f": {said[0].who}, {said[0].why} (decision {said[0].ref})"
        return ""

    # ------------------------------------------------------------ field by field

    def _compared(self, item: Item, findings: Sequence[Finding]) -> Iterator[Compared]:
        assert item.pair is not None
        ours, theirs = item.pair
        found = {finding.field: finding.name for finding in findings}
        bound = self._bound(ours, theirs)
        our_raw, their_raw = self.our_raw.get(ours.line, {}), self.their_raw.get(theirs.line, {})
        for field, mine, other in self._normalised(item, ours, theirs):
            in_parts = len(item.our_lines()) > 1, len(item.their_lines()) > 1
            yield Compared(
                field=field,
                ours_raw=None if in_parts[0] else our_raw.get(field),
                ours=mine,
                theirs_raw=None if in_parts[1] else their_raw.get(field),
                theirs=other,
                tolerance=_tolerance(bound, ours, theirs) if field == "average_price" else "none, ever",
                says=found.get(field) or _says(field, mine, other),
            )

    def _normalised(self, item: Item, ours: OurLine, theirs: TheirLine) -> Iterator[tuple[str, str | None, str | None]]:
        answer, leg = self.case.state and self.case.state.answer, theirs.leg
        broker = broker_of(item.batch, answer) if item.batch and answer else None
        filled = filled_of(ours)
        yield "account", ours.account, answer.account if answer else None
        yield "broker", (ours.broker or "").lower() or None, (broker or "").lower() or None
        yield "trade_date", shown(ours.trade_date), shown(theirs.trade_date)
        yield "exchange", ours.exchange.upper(), leg.exchange.upper()
        yield "symbol", ours.symbol.upper(), leg.symbol.upper()
        yield "instrument", ours.instrument, theirs.instrument
        yield "side", ours.side.upper(), leg.side.upper()
        yield "quantity", plain_text(ours.quantity), plain_text(leg.quantity)
        yield "filled_quantity", plain_text(filled), plain_text(leg.filled)
        yield "average_price", shown(ours.average_price if filled else None), shown(leg.average_price)
        mine = None if ours.status is None else our_word(ours.status) or ours.status
        other = leg_word(leg.status) or leg.status
        yield "status", mine and _ended(mine, filled, ours.quantity), _ended(other, leg.filled, leg.quantity)

    def _bound(self, ours: OurLine, theirs: TheirLine) -> Bound | None:
        filled = min(filled_of(ours), theirs.leg.filled)
        if not filled or not theirs.leg.average_price:
            return None
        tick = self.market.tick(theirs.instrument, theirs.trade_date, theirs.leg.exchange)
        return bound_at(self.policy, filled=filled, price=theirs.leg.average_price, tick=tick)

    # ------------------------------------------------------------ who was refused

    def _refused(self, item: Item, items: Sequence[Item], keys: Mapping[int, str]) -> Iterator[Refused]:
        if item.copied:
            return
        own = {id(line) for line in (*item.our_lines(), *item.their_lines())}
        for other in items:
            for line in () if item.ours is None else other.their_lines():
                if id(line) not in own:
                    yield Refused(line=keys[line.line], why=self._why(item.our_lines()[0], line, other, keys))
            for mine in () if item.theirs is None else other.our_lines():
                if id(mine) not in own:
                    yield Refused(line=mine.order_id, why=self._why(mine, item.their_lines()[0], other, keys))

    def _why(self, ours: OurLine, theirs: TheirLine, other: Item, keys: Mapping[int, str]) -> str:
        for said in self.case.decisions:
            if (said.ruling, said.ours, said.theirs) == (Ruling.APART, ours.order_id, keys[theirs.line]):
                return f"{said.who} decided that they are not one: {said.why} (decision {said.ref})"
        if why := refusal(ours, theirs) or _unlike(ours, theirs):
            return why
        if other.copied:
            return "it is told a second time: the first one speaks for both"
        if other.pair is not None:
            pair = other.theirs if any(line is ours for line in other.our_lines()) else other.ours
            named = keys[pair.line] if isinstance(pair, TheirLine) else pair.order_id if pair else ""
            return f"it is the pair of {named} by step {other.rung}, and a line is matched once"
        return "it is as good as another, and nobody guesses" if other.ambiguous else "nothing says that they are one"


def _unlike(ours: OurLine, theirs: TheirLine) -> str | None:
    """What a step asks and these two do not have."""
    if ours.instrument != theirs.instrument:
        return f"another instrument: {ours.instrument} and {theirs.instrument}"
    if ours.side.upper() != theirs.leg.side.upper():
        return f"the other side of the market: {ours.side} and {theirs.leg.side}"
    return None


def _says(field: str, mine: str | None, other: str | None) -> str:
    if mine is None or other is None:
        return NOT_STATED if mine != other else "neither side states it"
    if mine == other:
        return "the same"
    if field == "average_price":
        return "not compared: an average moves while a side is open, and one is only comparable for equal fills"
    if field == "exchange":
        return "not compared: told apart by the instrument"
    return "not compared: a side is not at its end, or its word names no end"


def _ended(word: str, filled: Decimal, quantity: Decimal) -> str:
    return ending(word, filled, quantity) or word


def _tolerance(bound: Bound | None, ours: OurLine, theirs: TheirLine) -> str:
    if bound is None:
        return "nothing filled on both sides"
    allowed = (
        f"{plain_text(bound.whole)} a share: rounding {plain_text(bound.rounding)}, slack {plain_text(bound.slack)}"
    )
    if not ours.average_price or not theirs.leg.average_price:
        return allowed
    apart = abs(ours.average_price - theirs.leg.average_price)
    used = "none of it used" if not apart else f"{plain_text(apart.normalize())} apart"
    share = f", {plain_text((apart / bound.whole * 100).quantize(Decimal(1)))} % of it" if apart and bound.whole else ""
    return f"{allowed}; {used}{share}"
