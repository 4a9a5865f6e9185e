"""What differs: the list with its filters, one break whole, and what each name means."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import Blueprint, abort, render_template, request

from console.asked import text_of
from console.desk import desk
from recon.explain import Explanation
from recon.names import CLASS_OF
from store.desk_breaks import FindingFilter, Sort
from tieout.desk import breaks as desk_breaks
from tieout.desk.explain import explain_lines
from tieout.desk.meanings import meanings
from tieout.desk.sides import sides, speakers

pages = Blueprint("breaks", __name__)


@pages.get("/breaks")
def listed() -> str:
    """One page of findings; every filter is in the address."""
    sort: Sort = "age" if request.args.get("sort") == "age" else "impact"
    severity = _one_of("severity", desk_breaks.SEVERITIES)
    wanted = _wanted()
    page = desk_breaks.search(
        desk().engine,
        wanted,
        severity_of=desk().severity(),
        severity=severity,
        sort=sort,
        after=request.args.get("after"),
    )
    return render_template(
        "breaks.html",
        page=page,
        total=None if severity else desk_breaks.total(desk().engine, wanted),
        wanted=wanted,
        severity=severity,
        sort=sort,
        names=list(CLASS_OF),
        states=desk_breaks.STATES,
        severities=desk_breaks.SEVERITIES,
    )


@pages.get("/breaks/<uuid:id>")
def show(id: UUID) -> str:  # noqa: A002 the word of the address
    """One finding with both sides, tolerance, life and proof."""
    whole = desk_breaks.show(desk().engine, id, severity_of=desk().severity())
    if whole is None:
        abort(404, "No break has this id. It may be another database's; search the list by transaction.")
    shown = {proof.ref for proof in whole.proofs if proof.kind == "snapshot"}
    return render_template(
        "break.html",
        whole=whole,
        sides=sides(whole),
        speakers=speakers(whole.row.finding.name, held=whole.row.finding.txn is None),
        order=_explained(whole),
        answer_shown=whole.answer is not None and str(whole.answer.snapshot_id) in shown,
    )


@pages.get("/meanings")
def explained() -> str:
    """What each name says, in the order of the documentation."""
    return render_template("meanings.html", meanings=meanings(), classes=CLASS_OF)


def _explained(whole: desk_breaks.WholeBreak) -> Explanation | None:
    """How the order of a line's finding was matched, as of now; None for what is about no line."""
    finding = whole.row.finding
    if finding.txn is None or not (finding.ours_line or finding.theirs_line):
        return None
    return explain_lines(
        desk().engine,
        txn=finding.txn,
        ours=finding.ours_line,
        theirs=finding.theirs_line,
        rules=desk().rules,
        now=desk().now(),
    )


def _wanted() -> FindingFilter:
    state = _one_of("state", (*desk_breaks.STATES, "all")) or "break"
    return FindingFilter(
        states=desk_breaks.STATES[:3] if state == "all" else (state,),
        gateway=text_of("gateway"),
        trade_date=_date(),
        name=_one_of("name", tuple(CLASS_OF)),
        transaction_id=text_of("transaction"),
        search=text_of("q"),
    )


def _one_of(name: str, allowed: tuple[str, ...]) -> str | None:
    asked = text_of(name)
    if asked is not None and asked not in allowed:
        abort(400, f"{name} is one of: {', '.join(allowed)}.")
    return asked


def _date() -> date | None:
    asked = text_of("date")
    try:
        return date.fromisoformat(asked) if asked else None
    except ValueError:
        abort(400, f"{asked!r} is no date: write it as 2026-11-20.")
