"""Where points and drills lie on the line of time, and how large points were: numbers for a drawing, no drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

WIDTH: Final = 600.0
HEIGHT: Final = 100.0
_GOOD: Final = ("verified", "proven")

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """A point or a drill: where it lies, whether it is as it should be, and what it says when it is pointed at."""

    x: float
    is_good: bool
    title: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """Marks from `begin` to `end`; the sizes of points as polylines, `top` bytes high."""

    begin: str
    end: str
    points: tuple[Mark, ...]
    drills: tuple[Mark, ...]
    logical: str
    stored: str
    top: int


def of(points: Sequence[Facts], drills: Sequence[Facts]) -> Timeline | None:
    """The line of the points and drills that are given; None where there are not two moments to draw it between."""
    moments = [_at(one["created_at"]) for one in points]
    moments += [_at(one["finished_at"]) for one in drills if not moments or _at(one["finished_at"]) >= min(moments)]
    if len(set(moments)) < 2:
        return None
    first, last = min(moments), max(moments)

    def place(text: str) -> float:
        return round(WIDTH * (_at(text) - first) / (last - first), 1)

    shown = sorted(points, key=lambda one: str(one["created_at"]))
    top = max([one["logical_bytes"] for one in shown], default=0) or 1
    sizes = {
        name: " ".join(f"{place(one['created_at'])},{_height(one[name], top)}" for one in shown)
        for name in ("logical_bytes", "stored_bytes")
    }
    return Timeline(
        begin=_text(first),
        end=_text(last),
        points=tuple(Mark(place(one["created_at"]), _is_whole(one), f"point {one['point']}") for one in shown),
        drills=tuple(
            Mark(place(one["finished_at"]), one["verdict"] in _GOOD, f"{one['scenario']}: {one['verdict']}")
            for one in reversed(drills)
            if _at(one["finished_at"]) >= first
        ),
        logical=sizes["logical_bytes"],
        stored=sizes["stored_bytes"],
        top=top,
    )


def _is_whole(point: Facts) -> bool:
    return any(copy["state"] in _GOOD for copy in point["copies"]) and not point["quarantined"]


def _height(count: int, top: int) -> float:
    return round(HEIGHT - (HEIGHT - 5) * count / top, 1)


def _at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat()
