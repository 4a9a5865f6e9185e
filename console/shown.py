"""How values look on the pages: instants in IST, rupees the Indian way, nothing by colour alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Flask, request, url_for
from markupsafe import Markup

from config.calendar import IST
from console.desk import desk
from console.menu import GROUPS, section_of
from store.desk_breaks import StoredFinding
from tieout.desk import reasons
from tieout.desk.evidence import as_text, pretty
from tieout.desk.meanings import meaning, said_of
from tieout.desk.rupees import grouped, price, rupees, shares
from tieout.desk.rupees import told as told_of

THEMES = ("light", "dark")
CLIPPED = 20  #: longer ids are clipped in lists
BAD_ENDS = ("parked", "lost")
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400

#: What a state says at a glance: the tone, the sign, the word. The word alone suffices.
MARKS = {
    "received": ("wait", "○", "waiting"),
    "waiting": ("wait", "◔", "waiting"),
    "claimed": ("busy", "◑", "in flight"),
    "done": ("good", "✓", "done"),
    "parked": ("bad", "■", "parked"),
    "lost": ("bad", "✕", "lost"),
    "break": ("bad", "≠", "break"),
    "pending": ("wait", "◔", "pending"),
    "note": ("info", "i", "note"),
    "closed": ("good", "✓", "closed"),
    "critical": ("bad", "▲▲", "critical"),
    "high": ("bad", "▲", "high"),
    "medium": ("wait", "◆", "medium"),
    "low": ("info", "▽", "low"),
    "info": ("info", "i", "info"),
    "open": ("bad", "✕", "open"),
    "half-open": ("wait", "◔", "trying"),
    "ok": ("good", "✓", "ok"),
    "late": ("bad", "▲", "late"),
    "away": ("bad", "✕", "away"),
    "matched": ("good", "✓", "matched"),
    "matched-in-tolerance": ("good", "≈", "matched in tolerance"),
    "excluded": ("info", "–", "excluded"),
    "new": ("wait", "○", "not fetched yet"),
    "updating": ("busy", "◑", "updating"),
    "stale": ("wait", "◔", "stale"),
    "undated": ("wait", "?", "undated"),
    "empty": ("info", "–", "empty"),
    "needs-consent": ("wait", "!", "needs consent"),
    "unlinked": ("info", "–", "unlinked"),
    "from-webhook": ("info", "i", "from a webhook"),
    "refused": ("bad", "■", "refused"),
    "unclear": ("bad", "?", "unclear"),
    "nonsense": ("bad", "✕", "nonsense"),
    "error": ("bad", "✕", "error"),
    "poison": ("bad", "✕", "poison"),
}


def register(app: Flask) -> None:
    """Give the templates their filters, and every page the clock, the badge and the theme."""
    filters = {
        "instant": instant,
        "brief": brief,
        "day": day,
        "brief_day": brief_day,
        "clipped": clipped,
        "outcome": outcome,
        "span": span,
        "took": took,
        "rupees": rupees,
        "shares": shares,
        "grouped": grouped,
        "price": price,
        "told": told,
        "shortly": shortly,
        "mark": mark,
        "bytes_text": as_text,
        "bytes_pretty": pretty,
        "size": size,
        "meaning": meaning,
        "told_of": _told_of,
        "said_of": said_of,
    }
    app.jinja_env.filters.update(filters)
    app.url_defaults(_keep_theme)
    app.context_processor(_on_every_page)


def instant(at: datetime | None) -> Markup:
    """The instant with its date in IST, the UTC one machine readable; a dash for None."""
    if at is None:
        return Markup('<span class="none">–</span>')
    local = at.astimezone(IST)
    shown = local.strftime("%d %b %Y %H:%M:%S")
    exact = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" title="{}">{} IST</time>').format(exact, exact, shown)


def brief(at: datetime | None) -> Markup:
    """The instant for a column headed IST: date and time; the whole of it on pointing."""
    if at is None:
        return Markup('<span class="none">–</span>')
    local = at.astimezone(IST)
    exact = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    whole = local.strftime("%d %b %Y %H:%M:%S IST")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(exact, whole, local.strftime("%d %b %H:%M:%S"))


def brief_day(at: date) -> Markup:
    """A trade date without its weekday."""
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), at.strftime("%d %b %Y"))


def told(value: object, field: str, *, whole: bool = False) -> Markup:
    """A finding's value: numbers by what the field is, a long id clipped unless `whole`."""
    text = told_of(field, value if isinstance(value, str | Decimal) else None)
    if whole or " " in text or len(text) <= CLIPPED:
        return Markup("{}").format(text)
    return Markup('<span class="id" title="{}">{}</span>').format(text, clipped(text))


def shortly(finding: StoredFinding, side: str) -> Markup:
    """A side's value where the share stands beside it: a whole line is told without its symbol."""
    value = finding.ours if side == "ours" else finding.theirs
    if finding.field == "line" and value and finding.symbol:
        value = value.replace(f" {finding.symbol}", "", 1)
    return told(value, finding.field)


def clipped(text: str) -> str:
    """A long id by its beginning and end; short ones whole."""
    return text if len(text) <= CLIPPED else f"{text[:8]}…{text[-6:]}"


def day(at: date | None) -> Markup:
    """A trade date."""
    if at is None:
        return Markup('<span class="none">–</span>')
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), at.strftime("%a %d %b %Y"))


def span(seconds: int | None) -> str:
    """A length of time in its two largest units; "–" for None."""
    if seconds is None:
        return "–"
    if seconds < MINUTE_S:
        return f"{seconds} s"
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min {seconds % MINUTE_S} s"
    if seconds < DAY_S:
        return f"{seconds // HOUR_S} h {seconds % HOUR_S // MINUTE_S} min"
    return f"{seconds // DAY_S} d {seconds % DAY_S // HOUR_S} h"


def _told_of(name: str | None, kind: str) -> reasons.Told | None:
    return reasons.told_of(kind, name)


def took(took_ms: int) -> str:
    """A short length of time, to a tenth of a second."""
    return f"{took_ms / 1000:.1f} s" if took_ms < MINUTE_S * 1000 else span(took_ms // 1000)


def size(count: int | None) -> str:
    """Bytes in the largest unit that leaves a whole number."""
    if count is None:
        return "unknown"
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:  # noqa: PLR2004
            return f"{count} {unit}"
        count //= 1024
    return f"{count} GiB"


def mark(state: str | None) -> Markup:
    """A state as sign and word, toned; the sign is hidden from screen readers."""
    tone, sign, word = MARKS.get(state or "", ("bad", "≠", state or "unknown"))
    return Markup('<span class="mark {}"><span aria-hidden="true">{}</span> {}</span>').format(tone, sign, word)


def outcome(word: str) -> Markup:
    """How a past attempt ended, in its own word."""
    tone = "good" if word == "done" else "info" if word == "claimed" else "bad" if word in BAD_ENDS else "wait"
    return Markup('<span class="mark {}">{}</span>').format(tone, word)


def theme() -> str:
    """The theme asked for in the address; "" follows the reader's system."""
    asked = request.args.get("theme", "")
    return asked if asked in THEMES else ""


def _keep_theme(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint != "static" and "theme" not in values and request and theme():
        values["theme"] = theme()


def _on_every_page() -> dict[str, object]:
    found = desk()
    return {
        **_clock(),
        "simulated_clock": found.simulated_clock,
        "environment": found.environment,
        "theme": theme(),
        "here": here,
        "groups": GROUPS,
        "section": section_of(request.endpoint),
        "link": url_for,
    }


def _clock() -> dict[str, object]:
    try:
        return {"now": desk().now(), "today": desk().today()}
    except OSError:  # the page that says so still has to be shown
        return {"now": None, "today": None}


def here(**changed: str | None) -> str:
    """This page's address with some of its query changed; None takes a part away."""
    query = {name: value for name, value in request.args.items() if value}
    query.update({name: value or "" for name, value in changed.items()})
    text = urlencode({name: value for name, value in query.items() if value})
    return f"{request.path}?{text}" if text else request.path
