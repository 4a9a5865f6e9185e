"""Plants of what accounts hold: one security that agrees, and causes that each move one side of it.

Nothing here knows the rules of `recon/`: a cause says by itself which part it is, from docs/breaks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from random import Random

OPENING, DAY, NEXT, BEFORE = date(2026, 1, 13), date(2026, 1, 14), date(2026, 1, 15), date(2026, 1, 12)
#: Brokers by what their figures mean: a sale is a position, or fewer are held; pledged shares are left out.
PLAIN, FEWER, LEAVES_OUT, BLOCKS = "kite", "dhan", "leaves-out", "blocks"
PENDINGS = frozenset({"unsettled-t1", "sold-today", "snapshot-age", "bonus-pending"})
NOTES = frozenset({"pledged", "mtf", "blocked", "split", "off-platform", "dup-listing", "orphan-fill"})
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(slots=True, kw_only=True)
class Plot:
    """One account with one security: what each side says, and what is true. Shares are whole."""

    account: str
    isin: str
    new: str
    temporary: str
    held: int = 1000
    base: int = 1000
    nse: int = 0
    bse: int = 0
    pledged: int = 0
    mtf: int = 0
    blocked: int = 0
    short: int = 0
    smallcase: int = 0
    flag: bool = False
    twice: bool = False
    named: bool = True  #: the broker's row names the ISIN
    cost: str = "400"  #: by the books; 400 by the broker
    broker: str = PLAIN
    shown: str = ""  #: the ISIN that the broker names, where it is another
    listed_later: int = 0  #: shares that lie under the temporary ISIN
    seen: date = DAY
    ex_date: date = DAY  #: of its actions
    exclusive: bool = True
    trades: list[tuple[str, int, date]] = field(default_factory=list)
    transfers: list[tuple[str, int, date]] = field(default_factory=list)
    actions: list[tuple[str, int, int, str]] = field(default_factory=list)  #: kind, from, to, new ISIN
    order_break: int = 0
    elsewhere: int = 0
    lines: dict[str, dict[str, int]] = field(default_factory=dict)  #: the truth: by ISIN, parts by name
    others: set[str] = field(default_factory=set)  #: the truth: findings without a part
    stored: bool = True  #: whether the Gateway's answer can say it
    title: str = ""

    def part(self, name: str, quantity: int, isin: str = "") -> None:
        """It is true that so many are explained by that."""
        self.lines.setdefault(isin or self.isin, {})[name] = quantity


Cause = Callable[[Plot, int], None]
CAUSES: dict[str, Cause] = {}
ALONE: dict[str, Cause] = {}  #: those that set the whole scene
#: Told only by what fits the rest: no two of them in one plot.
BY_THE_REST: set[str] = set()


def _cause(*, alone: bool = False, fits: bool = False) -> Callable[[Cause], Cause]:
    def register(make: Cause) -> Cause:
        name = make.__name__.strip("_").replace("_", "-")
        (ALONE if alone else CAUSES)[name] = make
        if fits:
            BY_THE_REST.add(name)
        return make

    return register


@_cause()
def _unsettled_t1(p: Plot, n: int) -> None:
    p.trades.append(("bought", n, DAY))
    p.nse += n
    p.part("unsettled-t1", n)


@_cause()
def _sold_today(p: Plot, n: int) -> None:
    p.trades.append(("sold", -n, DAY))
    p.bse -= n
    p.part("sold-today", -n)


@_cause(alone=True)
def _sold_and_fewer_held(p: Plot, n: int) -> None:
    p.broker = FEWER
    p.trades.append(("sold", -n, DAY))
    p.held -= n
    p.part("sold-today", -n)


@_cause(alone=True)
def _snapshot_age(p: Plot, n: int) -> None:
    p.seen = BEFORE
    p.trades.append(("settled", n, OPENING))
    p.base += n
    p.part("snapshot-age", -n)


@_cause()
def _short_delivery(p: Plot, n: int) -> None:
    p.stored = False
    p.trades.append(("undelivered", n, OPENING))
    p.base += n
    p.short = n
    p.part("short-delivery", -n)


@_cause(alone=True)
def _pledged(p: Plot, n: int) -> None:
    p.broker = LEAVES_OUT
    p.pledged, p.base = n, p.base + n
    p.part("pledged", -n)


@_cause(alone=True)
def _mtf(p: Plot, n: int) -> None:
    p.broker, p.stored = LEAVES_OUT, False
    p.mtf, p.base = n, p.base + n
    p.part("mtf", -n)


@_cause(alone=True)
def _blocked(p: Plot, n: int) -> None:
    p.broker, p.stored = BLOCKS, False
    p.blocked, p.base = n, p.base + n
    p.part("blocked", -n)


@_cause(alone=True)
def _split(p: Plot, n: int) -> None:
    p.actions.append(("split", 1, 1 + n % 9 + 1, p.new))
    p.part("split", -p.held * (n % 9 + 1), p.new)


@_cause(alone=True)
def _split_applied_by_both(p: Plot, n: int) -> None:
    p.actions.append(("split", 1, n + 1, p.new))
    p.shown, p.held = p.new, p.held * (n + 1)
    p.lines[p.new] = {}


@_cause(fits=True)
def _bonus_pending(p: Plot, n: int) -> None:
    p.actions.append(("bonus", p.base, n, ""))
    p.part("bonus-pending", -n)


@_cause(alone=True)
def _bonus_not_listed(p: Plot, n: int) -> None:
    p.actions.append(("bonus", p.base, n, ""))
    p.listed_later = n
    p.others.add("bonus-pending")


@_cause(alone=True)
def _bonus_in_the_positions(p: Plot, n: int) -> None:
    p.actions.append(("bonus", p.base, n, ""))
    p.ex_date, p.base = OPENING, p.base + n
    p.part("bonus-pending", -n)


@_cause(alone=True)
def _split_too_early(p: Plot, n: int) -> None:
    p.actions.append(("split", 1, n + 1, p.new))
    p.ex_date, p.shown, p.held = NEXT, p.new, p.held * (n + 1)
    p.part("ca-ratio", p.base * n, p.new)


@_cause(fits=True)
def _buy_back(p: Plot, n: int) -> None:
    p.actions.append(("buy-back", p.base, n, ""))
    p.held -= n
    p.part("ca-other", -n)


@_cause(alone=True)
def _demerger(p: Plot, n: int) -> None:
    p.actions.append(("demerger", p.base, n, p.new))
    p.lines[p.isin] = {}
    p.part("ca-other", -n, p.new)


@_cause(alone=True)
def _merger(p: Plot, n: int) -> None:
    p.actions.append(("merger", 1, n + 1, p.new))
    p.part("ca-other", -p.held * n, p.new)


@_cause(alone=True)
def _ca_ratio(p: Plot, n: int) -> None:
    p.actions.append(("split", 1, n % 9 + 2, p.new))
    p.shown = p.new
    p.part("ca-ratio", -p.held * (n % 9 + 1), p.new)


@_cause(fits=True)
def _transfer(p: Plot, n: int) -> None:
    p.transfers.append(("in", n, DAY))
    p.part("transfer", -n)


@_cause(fits=True)
def _orphan_fill(p: Plot, n: int) -> None:
    p.order_break = n
    p.held += n
    p.part("orphan-fill", n)


@_cause(fits=True)
def _wrong_account(p: Plot, n: int) -> None:
    p.elsewhere = -n
    p.held += n
    p.part("wrong-account", n)


@_cause(fits=True)
def _off_platform(p: Plot, n: int) -> None:
    p.exclusive = False
    p.held += n
    p.part("off-platform", n)


@_cause(fits=True)
def _off_platform_sale(p: Plot, n: int) -> None:
    p.exclusive = False
    p.held -= n
    p.part("off-platform-sale", -n)


@_cause(fits=True)
def _unexplained(p: Plot, n: int) -> None:
    p.held += n if n % 2 else -n
    p.part("unexplained", n if n % 2 else -n)


@_cause()
def _attribution(p: Plot, n: int) -> None:
    p.smallcase = 100_000 + n
    p.others.add("attribution")


@_cause()
def _dup_listing(p: Plot, _: int) -> None:
    p.twice = True
    p.others.add("dup-listing")


@_cause()
def _broker_flag(p: Plot, _: int) -> None:
    p.flag, p.stored = True, False
    p.others.add("broker-flag")


@_cause(alone=True)
def _isin_unmapped(p: Plot, n: int) -> None:
    p.named, p.base, p.held = False, 0, n
    p.lines[p.isin] = {}
    p.part("isin-unmapped", n, f"NSE:{p.isin}")


@_cause(alone=True)
def _avg_cost(p: Plot, n: int) -> None:
    p.cost = f"400.{n + 1:02}"
    p.others.add("avg-cost")


@_cause(alone=True)
def _negative(p: Plot, n: int) -> None:
    p.base = p.held = -n
    p.others.add("negative")


@_cause(alone=True)
def _clean(p: Plot, _: int) -> None:
    p.lines[p.isin] = {}


def plots(seed: int, repeats: int, several: int) -> Iterator[Plot]:
    """Every cause alone so many times, then so many plots with several causes."""
    chance, number = Random(f"held {seed}"), 0
    for name, cause in sorted((CAUSES | ALONE).items()):
        for _ in range(repeats):
            number += 1
            yield _plot(seed, number, {name: cause}, chance)
    for _ in range(several):
        number += 1
        chosen = chance.sample(sorted(CAUSES), chance.randint(2, 4))
        fits = [name for name in chosen if name in BY_THE_REST]
        yield _plot(seed, number, {n: CAUSES[n] for n in chosen if n not in fits[1:]}, chance)


def _plot(seed: int, number: int, causes: dict[str, Cause], chance: Random) -> Plot:
    at = seed * 100_000 + number
    isins = [_isin(at * 3 + place) for place in range(3)]
    plot = Plot(account=f"{at:024x}", isin=isins[0], new=isins[1], temporary=isins[2], title=" + ".join(causes))
    for _, cause in sorted(causes.items(), key=lambda each: each[0] in BY_THE_REST):  # those look at what is held
        cause(plot, chance.randint(1, 60))
    plot.lines.setdefault(next(iter(plot.lines), plot.isin), {})
    return plot


def _isin(number: int) -> str:
    text = ""
    for _ in range(7):
        number, place = divmod(number, 36)
        text = ALPHABET[place] + text
    body = f"INX{text}0"
    return body + _check_digit(body)


def _check_digit(body: str) -> str:
    """Luhn's, letters counting 10 to 35; written here anew, for the truth uses nothing of the service."""
    digits = [int(digit) for letter in body for digit in str(int(letter, 36))]
    sums = [sum(divmod(digit * 2, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits[::-1])]
    return str(-sum(sums) % 10)
