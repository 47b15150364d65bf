"""The page opens in a browser that has no network, and asks for nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dr_lib.rendering.page import html_page
from tests.unit.rendering.test_page import facts

CHROMIUM = shutil.which("chromium")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not here: bash tools/system.sh chromium")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_without_network_and_asks_for_nothing(tmp_path: Path, scheme: str):
    from playwright.sync_api import sync_playwright

    page_file = tmp_path / "drill.html"
    page_file.write_text(html_page(facts()))
    asked: list[str] = []
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_context(offline=True, color_scheme=scheme, viewport={"width": 800, "height": 600}).new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(page_file.as_uri())
        assert page.locator("h1").inner_text() == "minilm: proven"
        assert page.locator("svg").count() == 3
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off at the side"
        inks = page.evaluate("[...document.querySelectorAll('svg text')].map(t => getComputedStyle(t).fill)")
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        browser.close()
    assert asked == [page_file.as_uri()]
    assert complaints == []
    assert inks
    assert all(contrast(ink, paper) > 4.5 for ink in inks), "texts of charts can be read"


def contrast(one: str, other: str) -> float:
    """The ratio that WCAG demands at least 4.5 of."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
