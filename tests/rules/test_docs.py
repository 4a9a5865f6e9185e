"""The pages of docs/ lead to each other and nowhere else, and every command shows how it is called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from cli.main import tieout

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
PROGRAMS = "tieout bench "  #: what they are told is in their own --help


def _links(page: Path) -> Iterator[tuple[Path, str, str]]:
    """The links of a page that stay in the repository: the file meant, its anchor, and the link as written."""
    for link in LINK.findall(page.read_text()):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor, link


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    words = (re.sub(r"[^\w\- ]", "", heading.strip().lower()) for heading in HEADING.findall(page.read_text()))
    return {word.replace(" ", "-") for word in words}


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=path)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from _commands(found, f"{path} {name}")


def test_every_link_between_pages_leads_somewhere() -> None:
    """The file is there, and so is the heading."""
    dead = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in PAGES
        for file, anchor, link in _links(page)
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in _anchors(file))
    ]
    assert dead == []


def test_every_page_is_led_to() -> None:
    """A page that none links to is one that nobody reads; decisions are listed by their folder."""
    met = {file for page in PAGES for file, _, _ in _links(page)}
    lost = [page.name for page in PAGES if page.parent == ROOT / "docs" and page not in met]
    assert lost == []


def test_every_command_shows_how_it_is_called() -> None:
    """Its --help has an example; a benchmark's own program tells what it takes."""
    silent = [
        path
        for path, command in _commands(tieout, "tieout")
        if not path.startswith(PROGRAMS) and "xample" not in command.get_help(click.Context(command, info_name=path))
    ]
    assert silent == []
