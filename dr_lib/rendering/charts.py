"""Charts as SVG that stands in a page: its colours are the page's own, so that it is right in light, dark and print."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, ParamSpec

from dr_lib.rendering.facts import PastPoint, figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, MAIN, SECOND, WARN = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"
"""Stand-ins, which no chart uses for anything else; `THEME` says what each becomes in the page."""
THEME: Final = {INK: "--ink", FAINT: "--line", MAIN: "--accent", SECOND: "--second", WARN: "--bad"}
LIGHT: Final = {INK: "#1c2430", FAINT: "#d5dbe3", MAIN: "#2563a8", SECOND: "#8fb4da", WARN: "#b3261e"}
"""The same for a renderer that knows no variables in SVG."""
_SETTINGS: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": FAINT,
    "text.parse_math": False,
}
_HEAD: Final = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>", re.DOTALL)
WIDTH: Final = 7.6
LONGEST_NAME: Final = 28
MOST_ROWS: Final = 40
P = ParamSpec("P")


def _styled(draw: Callable[P, str]) -> Callable[P, str]:
    """Draws under our settings, so that no text is read as a formula and every colour is a stand-in."""

    @wraps(draw)
    def drawn(*args: P.args, **named: P.kwargs) -> str:
        from matplotlib import rc_context

        with rc_context(_SETTINGS):
            return draw(*args, **named)

    return drawn


@_styled
def timeline(phases: Sequence[Mapping[str, Any]], critical: Sequence[str], colours: Mapping[str, str]) -> str:
    """The phases of a recovery one below the other, each from where the one before it ended; empty without any."""
    lengths = [(str(phase["name"]), figure(phase["seconds"]) or 0.0) for phase in phases[:MOST_ROWS]]
    if not sum(seconds for _, seconds in lengths) > 0:
        return ""
    bounding = {text.partition(",")[0] for text in critical}
    chart, axes = _canvas(0.5 + 0.28 * len(lengths))
    start = 0.0
    for row, (name, seconds) in enumerate(lengths):
        axes.broken_barh([(start, seconds)], (row - 0.36, 0.72), facecolors=MAIN if name in bounding else SECOND)
        axes.text(start + seconds, row, f" {seconds:.3g} s", va="center", ha="left", fontsize=8)
        start += seconds
    axes.set_yticks(range(len(lengths)), [_short(name) for name, _ in lengths])
    axes.set_xlim(0, start * 1.12)
    axes.invert_yaxis()
    axes.set_xlabel("seconds since the disaster")
    axes.grid(axis="x", linewidth=0.6)
    return _svg(chart, "timeline", colours)


@_styled
def trend(past: Sequence[PastPoint], objective: object, colours: Mapping[str, str], *, rpo: bool = False) -> str:
    """RTO, or RPO, of drill after drill against what was promised, and what was foretold; empty for fewer than two."""
    values = [figure(one.rpo_s if rpo else one.rto_s) for one in past]
    if sum(value is not None for value in values) < 2:
        return ""
    chart, axes = _canvas(1.9)
    line = [math.nan if value is None else value for value in values]
    axes.plot(range(len(line)), line, color=MAIN, marker="o", markersize=4, linewidth=1.4, label="measured")
    foretold = [(number, one.predicted_s) for number, one in enumerate(past) if figure(one.predicted_s) is not None]
    if foretold and not rpo:
        axes.plot(*zip(*foretold, strict=True), color=INK, marker="_", markersize=9, linestyle="none", label="foretold")
    highest = max(value for value in values if value is not None)
    promised = figure(objective)
    if promised is not None and promised <= 4 * highest:
        axes.axhline(promised, color=WARN, linewidth=1, linestyle="--", label="promised")
    for number in (number for number, value in enumerate(values) if value is None):
        axes.axvline(number, color=WARN, linewidth=1, linestyle=":")
    axes.set_ylim(bottom=0, top=max(axes.get_ylim()[1], 1.15 * highest))
    axes.set_xticks(range(len(past)), [one.finished_at[5:10] if len(past) <= 16 else "" for one in past])
    axes.set_ylabel("RPO, s" if rpo else "RTO, s")
    axes.grid(axis="y", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return _svg(chart, "rpo" if rpo else "rto", colours)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _canvas(height: float) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    chart = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = chart.add_subplot()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, pad=6)
    axes.set_axisbelow(True)
    return chart, axes


def _svg(chart: Figure, name: str, colours: Mapping[str, str]) -> str:
    from matplotlib import rc_context

    text = io.StringIO()
    with rc_context({"svg.hashsalt": name}):
        chart.savefig(text, format="svg", transparent=True, metadata={"Date": None})
    svg = _HEAD.sub("", text.getvalue())
    for stand_in, colour in colours.items():
        svg = svg.replace(stand_in, colour)
    return svg.replace('id="', f'id="{name}-').replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
