"""One self-contained page: no script, no network, no other file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dr_lib.errors import Refused
from dr_lib.rendering.facts import PageFacts, PastPoint, figure, harmless, size, span

if TYPE_CHECKING:
    from jinja2 import Environment

HINT = "pip install 'dr-lib[render]'"


def html_page(facts: PageFacts, *, paper: bool = False) -> str:
    """The page as HTML. On `paper` its charts have the colours of light paper. `Refused` (7) without its libraries."""
    try:
        from dr_lib.rendering import charts

        colours = charts.LIGHT if paper else {stand_in: f"var({name})" for stand_in, name in charts.THEME.items()}
        told = harmless(dict(facts.predicate))
        past = [PastPoint(**harmless(asdict(one))) for one in facts.past]
        images = {
            "timeline": charts.timeline(told["phases"], told.get("critical", ()), colours),
            "rto": charts.trend(past, told["rto_objective_s"], colours),
            "rpo": charts.trend(past, told["rpo_objective_s"], colours, rpo=True),
        }
        page: str = (
            _environment()
            .get_template("page.html")
            .render(
                told=told,
                proven=harmless(dict(facts.proven)),
                past=past,
                notes=harmless(list(facts.notes)),
                made_at=facts.made_at,
                images=images,
                error=_error(told),
            )
        )
    except ImportError as error:
        raise Refused(f"what renders evidence is not installed: {error.name}", hint=HINT) from error
    return page


def pdf_page(facts: PageFacts) -> bytes:
    """The page as PDF. `Refused` (7) without its libraries; nothing is fetched from anywhere."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        hint = f"{HINT}, and on Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
        raise Refused("what makes PDF is not installed", hint=hint) from error

    data: bytes = HTML(string=html_page(facts, paper=True), url_fetcher=_nothing).write_pdf()
    return data


def _nothing(url: str, *_: Any, **__: Any) -> Mapping[str, Any]:
    raise Refused(f"a page of evidence asks for {url[:80]}", hint="this is a defect of its template")


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(loader=PackageLoader("dr_lib.rendering", "."), autoescape=True, undefined=StrictUndefined)
    found.filters |= {"span": span, "size": size, "is_figure": lambda value: figure(value) is not None}
    found.trim_blocks = found.lstrip_blocks = True
    return found


def _error(told: Mapping[str, Any]) -> str:
    """How far the forecast was off, in words; empty where nothing was foretold or measured."""
    foretold, measured = figure(told.get("predicted")), figure(told.get("rto_s"))
    if foretold is None or not measured:
        return ""
    return f"{span(foretold)} foretold, {span(measured)} measured: {(foretold - measured) / measured:+.0%}"
