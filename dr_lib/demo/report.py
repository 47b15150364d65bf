"""What the main job proved: as facts for machines, as a table for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from dr_lib.demo.outsider import Seen

Facts = dict[str, Any]

PROVEN = "proven"


def job_report(job: dict[str, Facts], points: list[Facts], seen: dict[str, Seen], login: Facts) -> Facts:
    """`job` is what `MainJob.run` returned, `points` what `Runtime.points` says now, `seen` what each asset's point
    shows to outsiders. `proven` is True when all are."""
    copies = {point["point"]: point["copies"] for point in points}
    assets = [
        {
            "asset": asset,
            **_point_facts(facts["point"], copies),
            **asdict(seen[asset]),
            **_drill_facts(facts["drill"]),
        }
        for asset, facts in job.items()
    ]
    return {"proven": all(one["verdict"] == PROVEN for one in assets), "assets": assets, **login}


def _point_facts(point: Facts, copies: dict[str, Facts]) -> Facts:
    names = ("point", "logical_bytes", "stored_bytes")
    return {name: point[name] for name in names} | {"copies": copies[point["point"]]}


def _drill_facts(drill: Facts) -> Facts:
    names = (
        "drill",
        "verdict",
        "reasons",
        "rpo_s",
        "rpo_objective_s",
        "rto_s",
        "rto_objective_s",
        "phases",
        "control",
        "evidence",
    )
    return {name: drill[name] for name in names}


def render(report: Facts, console: Console) -> None:
    """Print the table: one column an asset, so that nothing is cut off on a narrow terminal."""
    title = "Recovery: PROVEN" if report["proven"] else "Recovery: NOT PROVEN"
    table = Table(title=title, box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("asset", style="bold")
    for one in report["assets"]:
        table.add_column(one["asset"], overflow="fold")
    for name, tell in _ROWS.items():
        table.add_row(name, *(tell(one) for one in report["assets"]))
    console.print(table)
    console.print()
    console.print(
        f"web interface  {report['url']}", f"user {report['user']}", f"password {report['password']}", sep="   "
    )


def _bytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


def _copies(one: Facts) -> RenderableType:
    return "\n".join(f"{region}: {state}" for region, state in one["copies"].items())


def _protection(one: Facts) -> RenderableType:
    words = {"sealed": "NOT SEALED", "signed": "NOT SIGNED"}
    said = ", ".join(good if one[good] else bad for good, bad in words.items())
    return Text(said, style="" if one["sealed"] and one["signed"] else "bold red")


def _evidence(one: Facts) -> RenderableType:
    kept: dict[str, list[str]] = {}
    for region, key in one["evidence"].items():
        kept.setdefault(key, []).append(region)
    return "\n".join(f"in {', '.join(regions)}: {key}" for key, regions in kept.items()) or "none"


def _objective(measured: float | None, objective: float) -> str:
    if measured is None:
        return "not reached"
    return f"{measured:.1f} s {'≤' if measured <= objective else '>'} {_span(objective)}"


def _span(seconds: float) -> str:
    units = {3600: "h", 60: "min", 1: "s"}
    size = next(size for size in units if seconds % size == 0 or size == 1)
    return f"{seconds / size:g} {units[size]}"


def _rto(one: Facts) -> RenderableType:
    phases = "\n".join(f"  {name}: {seconds:.1f} s" for name, seconds in one["phases"].items())
    return f"{_objective(one['rto_s'], one['rto_objective_s'])}\n{phases}"


def _control(one: Facts) -> RenderableType:
    """What the smoke test said of damaged copies; what could not be tried here is left to the evidence."""
    words = {True: "noticed", False: "NOT NOTICED"}
    tried = [each for each in (one["control"] or {"controls": []})["controls"] if each["caught"] is not None]
    return "\n".join(f"{each['name']}: {words[each['caught']]}" for each in tried) or "not tried"


def _verdict(one: Facts) -> RenderableType:
    proven = one["verdict"] == PROVEN
    head = Text(one["verdict"].upper(), style="bold green" if proven else "bold red")
    return Group(head, *(f"- {reason}" for reason in one["reasons"]))


_ROWS: dict[str, Callable[[Facts], RenderableType]] = {
    "point": lambda one: one["point"],
    "bytes": lambda one: _bytes(one["logical_bytes"]),
    "stored bytes": lambda one: _bytes(one["stored_bytes"]),
    "copies": _copies,
    "protection": _protection,
    "RPO": lambda one: _objective(one["rpo_s"], one["rpo_objective_s"]),
    "RTO by phase": _rto,
    "damaged copy": _control,
    "verdict": _verdict,
    "evidence": _evidence,
}
