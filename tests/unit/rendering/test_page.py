"""A page of evidence: whole in itself, verdict first, and harmless whatever a drill was told to write into it."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from typing import Any

import pytest

from dr_lib.errors import Refused
from dr_lib.model.drill import Assertion, Phase, Verdict
from dr_lib.rendering.facts import PageFacts, PastPoint, harmless
from dr_lib.rendering.page import html_page, pdf_page
from dr_lib.vault.evidence import statement
from tests.drills import report

PROVEN = {
    "key": "evidence/minilm/x.json", "sha256": "ab" * 32, "signed_by": ["0123456789abcdef"], "previous": None,
    "point": "the manifest is the one", "regions": ["eu-west"], "locks": {"eu-west": "2026-12-26"}, "chain": 1,
}  # fmt: skip
HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><svg onload=alert(1)>",
    "$\\frac{$ & {{ 7*7 }}",
    "\x00\x1b[31m\u202e\udc80", "javascript:alert(1)", "x" * 100_000,
)  # fmt: skip


def facts(past: int = 4, **more: Any) -> PageFacts:
    drills = [report(number, **more) for number in range(past)]
    trend = [PastPoint(d.drill, "2026-11-23T18:00:00.0Z", d.scenario, "proven", 9.0, 60.0, 11.0) for d in drills]
    return PageFacts(statement(report(past, **more))["predicate"], PROVEN, trend, ["us-east did not answer"], "now")


class Elements(HTMLParser):
    """Every element and attribute of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_verdict_comes_first_and_everything_is_told():
    page = html_page(facts())
    body = re.sub(r"<[^>]+>", " ", page.partition("<body>")[2])
    assert body.split()[:2] == ["minilm:", "proven"]
    for text in ("there was no GPU", "us-east did not answer", "two layers swapped", "0.004", "its server was stopped",
                 "refused", "ab" * 32, "0123456789abcdef", "+22%",
                 "RPO with eu-west alone", "fetch, 20%: the link"):  # fmt: skip
        assert text in body, text
    assert page.count("<svg") == 3


def test_nothing_of_it_is_elsewhere_and_nothing_in_it_runs():
    page = html_page(facts())
    elements = Elements(page).found
    assert {tag for tag, _ in elements} & {"script", "img", "iframe", "link", "object", "a", "form"} == set()
    for _, attributes in elements:
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in ("src", "href", "xlink:href"):
                assert str(value).startswith("#")
    assert re.findall(r"url\((?!#)", page) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_shown_and_do_nothing(text: str):
    plain = {tag for tag, _ in Elements(html_page(facts(past=0))).found}
    page = html_page(
        facts(
            past=1, scenario=text, lost_how=text, point=text, reasons=(text,), unproven=(text,),
            verdict=Verdict.NOT_PROVEN, phases=(Phase(text, 1.0),), critical=(text,),
            isolation=(Assertion(text, None, text),), environment={text: text},
            preflight=({"name": text, "class": text, "reason": text},), smoke=None, control=None,
        )
    )  # fmt: skip
    elements = Elements(page).found
    assert {tag for tag, _ in elements} <= plain | {
        "svg",
        "g",
        "path",
        "defs",
        "style",
        "text",
        "use",
        "clippath",
        "rect",
        "li",
    }
    assert not any(name.startswith("on") for _, attributes in elements for name in attributes)
    assert len(page) < 200_000
    page.encode()


def test_figures_that_are_none_are_shown_as_what_they_are():
    nan = float("nan")
    page = html_page(facts(rto_s=nan, predicted=nan, phases=(Phase("load", nan), Phase("fetch", 1.0))))
    assert "<strong>nan</strong>" in page


def test_a_drill_that_reached_nothing_has_a_page():
    page = html_page(
        facts(past=0, point="", manifest_sha256="", rto_s=None, rpo_s=None, phases=(), smoke=None, control=None,
              applied=None, isolation=(), preflight=(), environment={}, unproven=(), critical=(),
              verdict=Verdict.NOT_PROVEN)
    )  # fmt: skip
    assert "<svg" not in page
    assert "It did not get as far as a smoke test." in page


def test_a_statement_of_version_one_has_a_page():
    told = facts()
    later = (
        "expected",
        "applied",
        "isolation",
        "control",
        "policy_sha256",
        "predicted",
        "rpo_by_region",
        "detours",
        "critical",
    )
    old = {name: value for name, value in told.predicate.items() if name not in (*later, "previous", "clock_skew_s")}
    assert "No copy was damaged" in html_page(PageFacts(old, PROVEN, told.past, (), "now"))


def test_the_same_facts_make_the_same_page():
    assert html_page(facts()) == html_page(facts())


def test_the_pdf_is_one():
    pytest.importorskip("weasyprint", reason="tools/system.sh brings pango", exc_type=(ImportError, OSError))
    assert pdf_page(facts()).startswith(b"%PDF-")


@pytest.mark.parametrize(("library", "make"), [("matplotlib", html_page), ("weasyprint", pdf_page)])
def test_what_is_not_installed_is_said_with_what_to_install(monkeypatch, library: str, make):
    for name in [library, *(name for name in sys.modules if name.startswith(f"{library}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(Refused) as caught:
        make(facts())
    assert "dr-lib[render]" in str(caught.value.hint)


def test_texts_are_made_writable_and_end():
    assert harmless({"a\x00": ["\udc80", 1, None, True]}) == {"a\ufffd": ["?", 1, None, True]}
    assert len(harmless("x" * 9999)) < 2100
