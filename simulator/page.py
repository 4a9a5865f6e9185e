"""The simulator's own page: what it has done, in plain HTML."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from simulator.serving import HTML, Reply

_STYLE = """body{font:16px system-ui;margin:2rem;color-scheme:light dark}
table{border-collapse:collapse;margin:0 0 1.5rem}th,td{text-align:left;padding:.15rem 1.5rem .15rem 0}
td{font-variant-numeric:tabular-nums}form{display:inline}caption{text-align:left;font-weight:600}"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
#: Nothing but this style, no script, nothing from anywhere.
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
_BUTTONS = (("play", "Play"), ("continue", "Continue"), ("advance?by=3600", "Advance an hour"),
            ("down?how=reset", "Take it down"), ("up", "Bring it up"))  # fmt: skip
_LINKS = (("log", "Log"), ("calls", "Calls"), ("accounts", "People"), ("files", "Files"), ("truth", "Truth"))


def page(
    title: str,
    story: str,
    status: Mapping[str, object],
    *,
    transactions: Sequence[Sequence[str]],
    webhooks: Sequence[Sequence[str]],
    calls: Sequence[Sequence[str]],
    faults: Sequence[Sequence[str]],
) -> Reply:
    """The page, its values escaped, under a policy that lets nothing in."""
    parts = [
        f"<h1>{escape(title)}</h1><p>{escape(story)}</p>",
        "".join(_form(path, label) for path, label in _BUTTONS),
        _table("How it stands", ("what", "value"), [(key, str(value)) for key, value in status.items()]),
        _table("Latest transactions", ("transaction", "intent", "account", "status"), transactions),
        _table("Latest webhooks", ("instant", "kind", "transaction", "answer"), webhooks),
        _table("Latest calls", ("instant", "path", "about", "status"), calls),
        _table("Faults", ("where", "what"), faults),
        "<p>" + " · ".join(f'<a href="/control/{path}">{label}</a>' for path, label in _LINKS) + "</p>",
    ]
    head = f'<meta charset="utf-8"><title>Simulated Gateway</title><style>{_STYLE}</style>'
    body = f'<!doctype html><html lang="en"><head>{head}</head><body><main>{"".join(parts)}</main></body></html>'
    return Reply(
        body=body.encode(), kind=HTML, headers={"content-security-policy": POLICY, "referrer-policy": "no-referrer"}
    )


def _form(path: str, label: str) -> str:
    return f'<form method="post" action="/control/{path}"><button>{label}</button></form> '


def _table(caption: str, heads: Iterable[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
