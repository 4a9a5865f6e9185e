"""Every figure the project promises, at full size, written to `docs/figures.md`.

`python -m bench.prove` runs all of them; `python -m bench.prove days chaos` only those.
A proof that fails is written down like one that holds, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import proofs, prove_match, prove_proof, prove_verdicts
from bench.prove_accounts import accounts
from bench.prove_follow import follow
from bench.prove_fuzz import fuzz
from bench.prove_holdings import holdings
from bench.prove_rotation import keys_replaced
from bench.prove_scenarios import scenarios

FIGURES = Path("docs/figures.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One promise: its heading, what is promised, and what measures it."""

    name: str
    heading: str
    promise: str
    run: Callable[[], proofs.Outcome]


PROOFS: Sequence[Proof] = (
    Proof(
        name="newcomer",
        heading="From a clean clone",
        promise='`make run ARGS="--once"` ends with status 0 and `make test` passes, as root and as an ordinary'
        " user, each under 10 minutes; the simulated day takes at most 60 s of it.",
        run=proofs.newcomer,
    ),
    Proof(
        name="days",
        heading="A day of 2,000 transactions, three seeds",
        promise="Exactly the closure of what was planted is found, nothing else; unaccounted 0 on both sides.",
        run=proofs.days,
    ),
    Proof(
        name="chaos",
        heading="The same day, disturbed",
        promise="Broker emptied, worker killed at three points, broker frozen for 20 s, database restarted, five"
        " times a day each: same digest, no acknowledged event missing, no wait for the broker.",
        run=proofs.chaos,
    ),
    Proof(
        name="tokens",
        heading="Tokens",
        promise="The Gateway's two sample tokens verify with the key that signed them;"
        " ours only with the right one of two secrets.",
        run=proofs.tokens,
    ),
    Proof(
        name="accounts",
        heading="Keys, links and tokens, over HTTP",
        promise="Swapped keys, a connected token of another user, a forged SDK token, alg none, an expired one: each"
        " refused with its own reason; one Idempotency-Key creates one transaction, also after a lost answer.",
        run=accounts,
    ),
    Proof(
        name="hostile",
        heading="1,000 hostile requests",
        promise="No 5xx, no traceback, no stored secret, good traffic beside them undisturbed.",
        run=proofs.hostile,
    ),
    Proof(
        name="follow",
        heading="Following, the limit, an outage",
        promise="5,000 transactions with a quarter of all webhooks withheld: every one found, the watermark past the"
        " close, at most 4 calls a transaction without faults. At a limit of 10 in any sliding second, ours being 8:"
        " 0 refused, with a FLUSHALL in the middle. Down with 500 open: 0 lost, the oldest day and the dearest first.",
        run=follow,
    ),
    Proof(
        name="rotation",
        heading="Both secrets replaced under load",
        promise="No good webhook refused, no call of ours either, and every delivery names the key that signed it.",
        run=keys_replaced,
    ),
    Proof(
        name="holdings",
        heading="Holdings of 1,000 accounts",
        promise="Some without consent, some stale, some updating: each state and each count of rows is stored as sent,"
        " no 403 stops anything, and every webhook about holdings becomes an answer.",
        run=holdings,
    ),
    Proof(
        name="fuzz",
        heading="100,000 mutated answers",
        promise="No crash, no wrong booking, each refusal with a reason; over real HTTP, dripping and endless answers"
        " included, no call outlives its deadline by a second.",
        run=fuzz,
    ),
    Proof(
        name="scenarios",
        heading="Scenarios, played through the whole service",
        promise="Each story of the simulator, with its faults and forms: what its steps say is found and nothing else.",
        run=scenarios,
    ),
    Proof(
        name="ingest",
        heading="The acknowledgement path",
        promise="At least 0.30 of a bare route, at least 1.3 times one commit a request, one statement a group.",
        run=proofs.ingest,
    ),
    Proof(
        name="verify",
        heading="A closed day, verified by code of its own",
        promise="Every kind of break closed and verified; of every column of every table a value changed, rows taken"
        " away and added: each is found and its row named. A day of a million lines in under 300 MB.",
        run=prove_proof.verify,
    ),
    Proof(
        name="digest",
        heading="The same facts, the same digest",
        promise="Told in three orders, judged by 1, 2 and 4 processes, killed at 20 points and taken up again.",
        run=prove_proof.digest,
    ),
    Proof(
        name="verdicts",
        heading="Verdicts on what was planted",
        promise="Recall 100 % and precision at least 99.9 % for every kind, three seeds; unaccounted 0;"
        " none of 15,000 prices on the edge of a tick judged wrong.",
        run=prove_verdicts.verdicts,
    ),
    Proof(
        name="match",
        heading="A million lines on each side",
        promise="Judged, stored and added up in at most 2.5 times one join that only counts them, a second run in"
        " 1.5 times, faster than datacompy; no process takes 300 MB; one transaction among them at most 3 times"
        " what it costs among 10,000.",
        run=prove_match.match,
    ),
)


def main(arguments: Sequence[str]) -> int:
    """Run the named proofs, or all, and write the figures down."""
    parser = argparse.ArgumentParser(prog="python -m bench.prove", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *(p.name for p in PROOFS)], metavar="NAME")
    wanted = parser.parse_args(arguments).names
    held = [_prove(proof) for proof in PROOFS if not wanted or proof.name in wanted]
    return 0 if all(held) else 1


def _prove(proof: Proof) -> bool:
    print(f"== {proof.heading}", flush=True)
    started = time.monotonic()
    outcome = _outcome(proof)
    took_s = round(time.monotonic() - started)
    print(
        "\n".join(outcome.lines), f"-- {'holds' if outcome.held else 'FALLS SHORT'}, {took_s} s", sep="\n", flush=True
    )
    _keep(proof, _section(proof, outcome, took_s))
    return outcome.held


def _outcome(proof: Proof) -> proofs.Outcome:
    """What came of it. One that breaks falls short, and the others go on."""
    try:
        return proof.run()
    except Exception as error:  # noqa: BLE001 whatever broke it
        traceback.print_exc()
        return proofs.Outcome(held=False, lines=[f"{type(error).__name__}: {error}"])


def _section(proof: Proof, outcome: proofs.Outcome, took_s: int) -> str:
    verdict = "Holds." if outcome.held else "**Falls short.**"
    when = datetime.now(UTC).date().isoformat()
    body = "\n".join(outcome.lines)
    return f"## {proof.heading}\n\n{proof.promise}\n\n{verdict} Measured {when}, {took_s} s.\n\n```text\n{body}\n```\n"


def _keep(proof: Proof, section: str) -> None:
    """Put this proof's section in its place; those of the others stay as they were measured."""
    sections = {**_written(), proof.heading: section}
    head = (
        "# Figures\n\n"
        "Written by `make prove`; `python -m bench.prove NAME` measures one again.\n"
        f"Machine: {os.cpu_count()} cores, {platform.system()} {platform.machine()},"
        f" Python {platform.python_version()}; load generator, simulator and servers all on it.\n"
    )
    FIGURES.write_text("\n".join([head, *(sections[p.heading] for p in PROOFS if p.heading in sections)]))


def _written() -> dict[str, str]:
    if not FIGURES.exists():
        return {}
    parts = FIGURES.read_text().split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part.rstrip()}\n" for part in parts}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
