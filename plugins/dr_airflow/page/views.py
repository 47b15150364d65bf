"""The page's HTML, from the documents of the catalog. Everything that is shown is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dr_airflow.page import timeline
from dr_lib.errors import DrError

PAGE: Final = 50
_SCRIPTS: Final = ("theme.js", "actions.js")
_FOLDER: Final = Path(__file__).parent / "templates"
_UNITS: Final = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))
_SIZES: Final = ("B", "kB", "MB", "GB", "TB", "PB")

Facts = Mapping[str, Any]


def front(overview: Facts, assets: Sequence[Facts], endpoints: Sequence[Facts], *, search: str, offset: int) -> str:
    """The first page: the verdict over all, a table of assets by regions, and who serves each endpoint."""
    regions = list(dict.fromkeys(region["region"] for asset in assets for region in asset["regions"]))
    more = len(assets) == PAGE
    facts = {"overview": overview, "assets": assets, "regions": regions, "search": search, "offset": offset}
    return _render("front.html", **facts, endpoints=endpoints, page=PAGE, more=more)


def asset(found: Facts, points: Sequence[Facts], drills: Sequence[Facts]) -> str:
    """One asset's page. Drills are given newest first; their trend is drawn oldest first."""
    timed = [drill for drill in drills if drill["rto_s"] is not None][::-1]
    top = max([found["rto_objective_s"], *(drill["rto_s"] for drill in timed)], default=1.0)
    drawn = timeline.of(points, drills)
    facts = {"asset": found, "points": points, "drills": drills, "timed": timed, "top": top, "drawn": drawn}
    return _render("asset.html", **facts, page=PAGE)


def point(asset: str, found: Facts, held: Facts | None, trouble: DrError | None, *, search: str, offset: int) -> str:
    """One point's page. `held` is a page of its contents, or `trouble` why they cannot be read here."""
    facts = {"asset": asset, "point": found, "held": held, "trouble": trouble, "search": search, "offset": offset}
    return _render("point.html", **facts, page=PAGE)


def runbook(name: str, text: str) -> str:
    """A runbook's page; `text` is HTML that was made from Markdown here."""
    return _render("runbook.html", runbook=name, text=Markup(text))  # noqa: S704 - HTML in Markdown is off


def failure(error: DrError) -> str:
    """What is wrong, where, and what to do: in the place of a page that cannot be shown."""
    return _render("failure.html", error=error)


def _render(name: str, **facts: Any) -> str:
    return _environment().get_template(name).render(**facts)


@cache
def content_security_policy() -> str:
    """Nothing is loaded, and nothing runs but the page's own scripts, by their digests."""
    digests = (_digest(_environment().get_template(name).render()) for name in _SCRIPTS)
    scripts = " ".join(f"'sha256-{digest}'" for digest in digests)
    own = f"script-src {scripts}; style-src 'unsafe-inline'; img-src data:; connect-src 'self'"
    return f"default-src 'none'; {own}; form-action 'self'; frame-ancestors 'self'; base-uri 'none'"


@cache
def _environment() -> Environment:
    found = Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    found.filters |= {"span": span, "size": size, "moment": moment}
    return found


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def span(seconds: float | None) -> str:
    """`2.5 h`; a dash where nothing is known."""
    if seconds is None:
        return "–"
    unit, name = next(((unit, name) for unit, name in _UNITS if seconds >= unit), (1.0, "s"))
    return f"{seconds / unit:.3g} {name}"


def size(count: int) -> str:
    """`91.6 MB`."""
    value, place = float(count), 0
    while value >= 1000 and place < len(_SIZES) - 1:
        value, place = value / 1000, place + 1
    return f"{value:.3g} {_SIZES[place]}"


def moment(text: str | None) -> str:
    """`2026-11-26 18:00:00 UTC`; a dash where nothing is known."""
    return "–" if text is None else f"{text[:19].replace('T', ' ')} UTC"
