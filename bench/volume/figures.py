"""What was measured at several sizes, held against what is promised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any, Final

from bench.volume.rounds import ADDED_UP, COUNT, JOIN, JUDGED, PAIR_IDS, PEER, RUN, SECOND, Measured

MOST_OF_JOIN: Final = 2.5
MOST_OF_JOIN_AGAIN: Final = 1.5
MOST_MB: Final = 300
MOST_OF_SINGLE: Final = 3.0

ROW = "{:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>8} {:>10}"
HEAD = ("lines", "join s", "count s", "ids s", "run s", "again s", "ratio", "again", "single ms")


@dataclass(frozen=True, slots=True)
class Figures:
    """All sizes, the smallest first; the promises are about the largest."""

    sizes: Sequence[Measured]

    @property
    def whole(self) -> Measured:
        """The largest."""
        return self.sizes[-1]

    @property
    def incremental_ratio(self) -> float:
        """One transaction judged again among the most lines, over one among the fewest."""
        return median(self.whole.single_ms) / median(self.sizes[0].single_ms)

    def problems(self, *, speed: bool) -> list[str]:
        """What must not be; with `speed` also what is slower than promised."""
        wrong = [problem for size in self.sizes for problem in _wrong(size)]
        return wrong + (list(self._slow()) if speed else [])

    def _slow(self) -> Iterator[str]:
        whole = self.whole
        if whole.ratio(RUN) > MOST_OF_JOIN:
            yield f"the run takes more than {MOST_OF_JOIN} times the counting join"
        if whole.ratio(SECOND) > MOST_OF_JOIN_AGAIN:
            yield f"a second run takes more than {MOST_OF_JOIN_AGAIN} times the counting join"
        if PEER not in whole.seconds:
            yield f"datacompy was not measured: {whole.peer}"
        elif whole.ratio(RUN, PEER) >= 1:
            yield f"the run is slower than {whole.peer}"
        if self.incremental_ratio > MOST_OF_SINGLE:
            yield f"a single transaction takes more than {MOST_OF_SINGLE} times as long among so many lines"

    def as_dict(self) -> dict[str, Any]:
        """For machines; seconds are medians over the rounds."""
        whole = self.whole
        return {
            "ratio": round(whole.ratio(RUN), 3),
            "ratio_rounds": [round(a / b, 3) for a, b in zip(whole.seconds[RUN], whole.seconds[JOIN], strict=True)],
            "second_ratio": round(whole.ratio(SECOND), 3),
            "incremental_ratio": round(self.incremental_ratio, 2),
            "peer_ratio": round(whole.ratio(RUN, PEER), 3) if PEER in whole.seconds else None,
            "peer": whole.peer,
            "lines": whole.lines,
            "workers": whole.workers,
            "memory_mb": dict(whole.memory_mb),
            "unaccounted": whole.said["unaccounted"],
            "added_up_s": round(whole.median(ADDED_UP), 3),
            "buckets": whole.said["buckets"],
            "findings": dict(sorted(whole.findings.items())),
            "sizes": [_size(size) for size in self.sizes],
        }

    def table(self) -> list[str]:
        """For people."""
        whole = self.whole
        judging = f"of it judging {whole.median(JUDGED):.2f} s; the counting join {_spread(whole, JOIN)}"
        among = f"one transaction among {whole.lines} lines over one among {self.sizes[0].lines}"
        alone = f"{whole.said['by_statement']} of {whole.said['judged']} transactions by the statement alone"
        return [
            ROW.format(*HEAD),
            *(_row(size) for size in self.sizes),
            "",
            f"{whole.lines} lines on each side, {whole.workers} processes: {_spread(whole, RUN)}, {judging}",
            f"adding up shares and rupees of both sides, as a day's page does: {whole.median(ADDED_UP):.2f} s",
            _peer(whole),
            f"memory of its own, the most of one process: {_memory(whole)}",
            f"{among}: {self.incremental_ratio:.2f}",
            f"{alone}, {sum(whole.findings.values())} findings; unaccounted {whole.said['unaccounted']}",
        ]


def _wrong(size: Measured) -> Iterator[str]:
    """What the run left that it must not have."""
    about, loaded, said = f"among {size.lines} lines", size.loaded, size.said
    if (said["ours"], said["theirs"]) != (loaded.ours, loaded.theirs) or said["judged"] != loaded.transactions:
        yield f"{about}: not every line was judged"
    if said["buckets"] != dict(loaded.buckets):
        yield f"{about}: the buckets are {said['buckets']}, and not {dict(loaded.buckets)}"
    if size.findings != loaded.findings:
        yield f"{about}: the findings are {dict(size.findings)}, and not {dict(loaded.findings)}"
    if Decimal(said["unaccounted"]):
        yield f"{about}: {said['unaccounted']} lines, shares and rupees are unaccounted for"
    if any(said["lost"]):
        yield f"{about}: lines of ours and theirs without a verdict that counts: {said['lost']}"
    if size.not_found:
        yield f"{about}: of {size.not_found} lines the verdict is not found"
    if size.second_judged:
        yield f"{about}: a second run judged {size.second_judged} transactions, although nothing had changed"
    if max(size.memory_mb.values()) >= MOST_MB:
        yield f"{about}: a process took more than {MOST_MB} MB"


def _size(size: Measured) -> dict[str, Any]:
    seconds = {name: [round(one, 3) for one in rounds] for name, rounds in size.seconds.items()}
    return {
        "lines": size.lines,
        "transactions": size.loaded.transactions,
        "ratio": round(size.ratio(RUN), 3),
        "single_ms": round(median(size.single_ms), 2),
        "seconds": seconds,
        "memory_mb": dict(size.memory_mb),
    }


def _row(size: Measured) -> str:
    seconds = [f"{size.median(name):.3f}" for name in (JOIN, COUNT, PAIR_IDS, RUN, SECOND)]
    ratios = [f"{size.ratio(name):.2f}" for name in (RUN, SECOND)]
    return ROW.format(size.lines, *seconds, *ratios, f"{median(size.single_ms):.2f}")


def _spread(size: Measured, name: str) -> str:
    rounds = size.seconds[name]
    return f"{size.median(name):.2f} s ({min(rounds):.2f} to {max(rounds):.2f})"


def _peer(size: Measured) -> str:
    if PEER not in size.seconds:
        return f"datacompy: {size.peer}"
    return f"{size.peer}, loading the same and storing nothing: {size.median(PEER):.2f} s"


def _memory(size: Measured) -> str:
    return ", ".join(f"{kind} {most:.0f} MB" for kind, most in size.memory_mb.items())
