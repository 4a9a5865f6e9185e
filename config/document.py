"""`python -m config.document` writes docs/settings.md and .env.example from the settings themselves.

With `--check` it writes nothing and fails when either is not current.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config.settings import PREFIX, SECRETS, Settings

GROUPS = (
    ("Where things are", ("home", "database_url", "broker_url", "gateways_file", "statuses_file")),
    ("Your gateway", ("gateway_",)),
    (
        "Edge",
        (
            "webhook_max",
            "edge_",
            "body_",
            "json_",
            "number_",
            "commit_",
            "writer_",
            "signature_",
            "checksum_",
            "announce_",
        ),
    ),
    ("Asking the Gateway", ("first_", "ask_", "call_", "task_", "lease_", "sweep_", "queue_", "follow_", "breaker_")),
    ("The private API", ("api_", "token_")),
    ("Reconciling", ("webhook_", "open_", "books_", "price_", "amount_")),
    ("The rest", ("",)),
)
IN_EXAMPLE = ("gateway_name", "gateway_secrets", "gateway_api_secrets", "database_url", "broker_url", "edge_port")

PREAMBLE = """# Settings

This page is made from `config/settings.py` by `make docs`.

A setting is read from the environment, else from the file `.env` in the folder where tieout starts.
A secret may lie in a file instead: name the file in `{prefix}<NAME>_FILE`.
All settings are read and checked at the start; one that is wrong is named, with the fix.
Durations are ISO 8601 or seconds or `HH:MM:SS`: `PT30M`, `1800` and `00:30:00` are the same.

## Several secrets at once

`id[@FROM/UNTIL]:secret`, separated by white space; dates are ISO, the end is exclusive, either may be empty.
The first valid one signs, all valid ones verify.
To change a secret without losing a webhook, add the new one beside the old, tell the Gateway, then take the old away.

```sh
TIEOUT_GATEWAY_API_SECRETS="old@/2026-12-01:s3cret new@2026-11-20/:an0ther"
```

## Several gateways

`config/gateways.toml` names further gateways; it holds no secret, only the names of the settings that do.

```toml
[[gateway]]
name = "second"
url = "https://gatewayapi.smallcase.com"
secrets_setting = "SECOND_SECRETS"
api_secrets_setting = "SECOND_API_SECRETS"
rate = 8       # calls a second; may be absent
book = "live"  # or "test"
```
"""

EXAMPLE = """\
# Copy this file to .env and fill in what you know; `make run` then serves your own gateway.
# With no keys set, `make run` plays a simulated day instead.
# Every setting: docs/settings.md. Made by `make docs`.
"""


def page() -> str:
    """The whole of docs/settings.md."""
    parts = [PREAMBLE.format(prefix=PREFIX)]
    left = dict(Settings.model_fields)
    for title, starts in GROUPS:
        names = [name for name in left if name.startswith(starts)]
        rows = [_row(name, left.pop(name)) for name in names]
        if rows:
            head = "| setting | default | meaning |\n| --- | --- | --- |\n"
            parts.append(f"## {title}\n\n{head}{''.join(rows)}")
    return "\n".join(parts)


def example() -> str:
    """The whole of .env.example."""
    return "\n".join([EXAMPLE, *(_lines(name) for name in IN_EXAMPLE)])


def stale(root: Path) -> Iterator[Path]:
    """Those of the written files that are not what would be written now."""
    for path, text in _files(root):
        if not path.exists() or path.read_text() != text:
            yield path


def main(arguments: list[str]) -> int:
    """Write the files, or check them."""
    root = Path()
    if "--check" not in arguments:
        for path, text in _files(root):
            path.write_text(text)
        return 0
    for path in (found := list(stale(root))):
        sys.stderr.write(f"{path} is not current: run `make docs`\n")
    return 1 if found else 0


def _files(root: Path) -> tuple[tuple[Path, str], ...]:
    return (root / "docs" / "settings.md", page()), (root / ".env.example", example())


def _row(name: str, field: FieldInfo) -> str:
    meaning = (field.description or "").replace("|", "\\|")
    secret = " Secret." if name in SECRETS else ""
    return f"| `{PREFIX}{name.upper()}` | {_default(field.default)} | {meaning}{secret} |\n"


def _default(value: object) -> str:
    match value:
        case None | "" | SecretStr():
            return "unset"
        case bool():
            return f"`{str(value).lower()}`"
        case timedelta():
            return f"`{_duration(value)}`"
        case time():
            return f"`{value:%H:%M}`"
        case _:
            return f"`{value}`"


def _duration(value: timedelta) -> str:
    minutes, seconds = divmod(int(value.total_seconds()), 60)
    if value.days and value == timedelta(days=value.days):
        return f"P{value.days}D"
    return f"PT{minutes}M" if not seconds else f"PT{minutes * 60 + seconds}S"


def _lines(name: str) -> str:
    field = Settings.model_fields[name]
    default = "" if isinstance(field.default, SecretStr) or field.default is None else str(field.default)
    return f"# {field.description}\n# {PREFIX}{name.upper()}={default}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
