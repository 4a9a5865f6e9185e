"""The pages in a real browser: both themes, a narrow screen, no script, nothing axe finds fault with."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from tests.desk_story import DAY, DIFFERS, DONE_EVENT, GATEWAY, HOSTILE, PARKED_EVENT, PRICE_BREAK
from tests.holdings_story import HELD, ODD

pytestmark = pytest.mark.browser

PAGES = (
    "/",
    f"/day/{DAY}",
    "/day/2026-11-22",
    f"/day/{DAY}/lines",
    "/breaks",
    "/breaks?state=all&severity=critical",
    f"/breaks/{PRICE_BREAK}",
    "/events",
    "/events?q=nothing",
    f"/events/{DONE_EVENT}",
    f"/events/{PARKED_EVENT}",
    f"/transactions/{GATEWAY}/{DIFFERS}",
    f"/transactions/{GATEWAY}/{HOSTILE}",
    "/holdings",
    "/holdings?state=needs-consent",
    f"/holdings/{HELD}",
    f"/holdings/{ODD}",
    "/accounts",
    "/keys",
    "/completeness",
    "/gateways",
    "/refusals",
    "/alerts",
    "/meanings",
    "/nowhere",
)
WATCH_POLICY = """
document.addEventListener('securitypolicyviolation', e => { (window.violations ||= []).push(e.violatedDirective) })
"""
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LOOKS = (("light", 1280), ("dark", 375))  #: colours go by theme and layout by width: two looks cover both


def _context(browser: Browser, **options: Any) -> BrowserContext:
    context = browser.new_context(**options)
    context.add_init_script(WATCH_POLICY)
    return context


def _violations(page: Page) -> list[str]:
    found: list[str] = page.evaluate("window.violations || []")
    return found


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("theme", "width"), LOOKS)
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(
    browser: Browser, console_url: str, theme: Any, width: int
) -> None:
    """Every page passes axe in both themes, wide and narrow, breaks no rule of its policy, and fits."""
    context = _context(browser, color_scheme=theme, viewport={"width": width, "height": 800})
    page = context.new_page()
    faults: list[tuple[str, str, str]] = []
    for path in PAGES:
        page.goto(console_url + path)
        found = Axe().run(page, options=RULES)
        faults += [(path, v["id"], v["nodes"][0]["html"][:120]) for v in found.response["violations"]]
        faults += [(path, "policy", name) for name in _violations(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append((path, "wider than the screen", str(width)))
    context.close()
    assert faults == []


def test_everything_is_read_and_filtered_without_javascript(browser: Browser, console_url: str) -> None:
    """With scripts off, a person filters breaks, opens one, follows it to its transaction and event."""
    context = _context(browser, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{console_url}/breaks")
    page.get_by_label("Severity").select_option("low")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="price-out").click()
    assert "1,512.55" in page.inner_text("main")
    page.get_by_role("link", name=DIFFERS).click()
    assert page.inner_text("h1") == DIFFERS
    page.get_by_role("link", name=str(DONE_EVENT)).click()
    assert "1575.0900000000001" in page.inner_text("main")
    context.close()


def test_a_hostile_webhook_body_is_shown_and_never_runs(browser: Browser, console_url: str) -> None:
    """Markup in a body, a header, a refusal and an alert is text on the page: no script, no image, no dialog."""
    context = _context(browser)
    page = context.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    for path in (f"/events/{PARKED_EVENT}", "/refusals", "/alerts"):
        page.goto(console_url + path)
        assert "owned" not in page.title()
        assert page.locator("main script, main img").count() == 0
        assert _violations(page) == []
    assert dialogs == []
    context.close()


def test_a_theme_asked_for_stays_from_page_to_page(browser: Browser, console_url: str) -> None:
    """A dark page stays dark along links and forms on a light system, without a cookie or script."""
    context = _context(browser, color_scheme="light", java_script_enabled=True)
    page = context.new_page()
    page.goto(console_url)
    page.get_by_role("link", name="dark", exact=True).click()
    page.get_by_role("navigation").get_by_role("link", name="Events").click()
    page.get_by_role("button", name="Search", exact=True).click()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert context.cookies() == []
    context.close()


def test_the_keyboard_reaches_the_content_first(browser: Browser, console_url: str) -> None:
    """The first tab stop is a visible link past the navigation, and it moves the focus there."""
    context = _context(browser)
    page = context.new_page()
    page.goto(console_url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    context.close()


def test_the_overview_loads_itself_again_only_when_asked(browser: Browser, console_url: str) -> None:
    """Only ?live=1 has a script; it asks again by itself, and Pause leads back to a still page."""
    context = _context(browser)
    page = context.new_page()
    page.goto(console_url)
    assert page.locator("script").count() == 0
    page.get_by_role("link", name="Keep it fresh").click()
    with page.expect_navigation(timeout=15_000):
        pass
    page.get_by_role("link", name="Pause").click()
    assert "live=1" not in page.url
    context.close()
