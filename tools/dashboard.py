"""Makes Grafana's dashboard, for Grafana 11.1: `python -m tools.dashboard` writes it where Grafana is given it from.

A row is a function that returns its panels, 24 wide in all; a row more is a function more, and a line in `ROWS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.builders import dashboard as board
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import VariableRefresh, VariableSort

from tools.grafana_panels import SOURCE, Panel, columns, lines, matrix, number

PLACE: Final = Path(__file__).resolve().parents[1] / "deploy" / "grafana" / "dashboards" / "disaster-recovery.json"
_HERE: Final = 'asset=~"$asset"'
_ON: Final = "on (job, instance, asset) group_left ()"


def main() -> None:
    """Write it."""
    PLACE.write_text(rendered(), encoding="utf-8")


def rendered() -> str:
    """The dashboard as JSON. Always the same, so that a change is seen."""
    made = (
        board.Dashboard("Disaster recovery")
        .uid("disaster-recovery")
        .description("What would come back now, how old, how fast, and who says so. All of it from /dr/metrics.")
        .tags(["disaster-recovery"])
        .timezone("utc")
        .time("now-24h", "now")
        .refresh("1m")
        .readonly()
        .with_variable(_assets())
    )
    numbers = iter(range(1, 1000))
    for title, row in ROWS:
        made = made.with_row(board.Row(title).id(next(numbers)))
        for panel in row():
            made = made.with_panel(panel.id(next(numbers)).datasource(SOURCE))
    return JSONEncoder(sort_keys=True, indent=1).encode(made.build()) + "\n"


def verdicts() -> Sequence[Panel]:
    """Is everything protected, and may that be believed?"""
    count = 'sum(max by (state) (dr_assets{state=~"%s"}))'
    age = "(time() - min(dr_observed_timestamp_seconds)) / max(dr_catalog_stale_after_seconds)"
    return (
        number("Protected", 4, count % "protected"),
        number("Not protected", 4, count % "failing", "red"),
        number("Nobody knows", 4, count % "unknown|never_seen", "red"),
        number("Open alerts", 6, "max by (severity) (dr_alerts)", "orange", legend="{{severity}}"),
        number("Age of the oldest look, of what may be", 6, age, "red", unit="percentunit"),
    )


def assets() -> Sequence[Panel]:
    """What would be lost now, and what was promised."""
    shown = {
        "protected": f"max by (asset) (dr_protected{{{_HERE}}})",
        "RPO now": f"max by (asset) (dr_rpo_seconds{{{_HERE}}})",
        "RPO promised": f"max by (asset) (dr_rpo_objective_seconds{{{_HERE}}})",
        "of it, used": f"max by (asset) (dr_rpo_seconds{{{_HERE}}} / dr_rpo_objective_seconds)",
        "problems": f"max by (asset) (dr_problems{{{_HERE}}})",
        "points": f"max by (asset) (dr_points{{{_HERE}}})",
        "newest, bytes": f"max by (asset) (dr_logical_bytes{{{_HERE}}})",
        "stored": f"max by (asset) (dr_stored_bytes{{{_HERE}}})",
    }
    units = dict.fromkeys(("RPO now", "RPO promised"), "s") | dict.fromkeys(("newest, bytes", "stored"), "bytes")
    units |= {"of it, used": "percentunit"}
    return (columns("Assets", 24, shown, units),)


def rpo() -> Sequence[Panel]:
    """How the age of the newest verified point went up and down below its objective."""
    now, promised = f"dr_rpo_seconds{{{_HERE}}}", f"dr_rpo_objective_seconds{{{_HERE}}}"
    return (
        lines("RPO, and what is promised (dashed)", 16, "s", {"{{asset}}": now, "{{asset}}, promised": promised}),
        lines("Share of the RPO that is used", 8, "percentunit", {"{{asset}}": f"{now} / dr_rpo_objective_seconds"}),
    )


def regions() -> Sequence[Panel]:
    """What each region holds, and what nobody has read there for long."""
    unread = f"dr_region_unread_seconds{{{_HERE}}}"
    answers = f"min by (region) (dr_region_answers{{{_HERE}}})"
    ages = f"max by (asset, region) (dr_region_rpo_seconds{{{_HERE}}})"
    return (
        matrix("Age of the newest verified point, by region", 10, ages),
        lines("Regions that answer (1) or not (0)", 6, "short", {"{{region}}": answers}),
        lines("Unread for, of what is promised", 8, "percentunit",
               {"{{asset}} in {{region}}": f"{unread} / {_ON} dr_verify_within_seconds"}),
    )  # fmt: skip


def drills() -> Sequence[Panel]:
    """What was proven, how fast, and how long ago."""
    took = f"dr_drill_rto_seconds{{{_HERE}}}"
    shown = {
        "proven": f"max by (asset, scenario) (dr_drill_proven{{{_HERE}}})",
        "RTO": f"max by (asset, scenario) ({took})",
        "of it, used": f"max by (asset, scenario) ({took} / {_ON} dr_rto_objective_seconds)",
        "age": f"time() - max by (asset, scenario) (dr_drill_finished_timestamp_seconds{{{_HERE}}})",
    }
    promised = f"dr_rto_objective_seconds{{{_HERE}}}"
    units = {"RTO": "s", "age": "s", "of it, used": "percentunit"}
    return (
        columns("The last drill of each scenario", 10, shown, units),
        lines("RTO, and what is promised (dashed)", 8, "s",
               {"{{asset}}: {{scenario}}": took, "{{asset}}, promised": promised}),
        lines("Age of the last drill", 6, "s",
               {"{{asset}}": f"time() - max by (asset) (dr_drill_finished_timestamp_seconds{{{_HERE}}})"}),
    )  # fmt: skip


def serving() -> Sequence[Panel]:
    """Who serves, and whether its callers are served well."""
    by_site = "max by (endpoint, site)"
    return (
        lines("Requests go to", 8, "short", {"{{endpoint}}: {{site}}": f"{by_site} (dr_serving_site)"}),
        lines("Answers rightly", 8, "short", {"{{endpoint}}: {{site}}": f"{by_site} (dr_serving_healthy)"}),
        lines("Not served well (1)", 8, "short", {"{{endpoint}}": "max by (endpoint) (dr_serving_problem)"}),
    )


ROWS: Final[tuple[tuple[str, Callable[[], Sequence[Panel]]], ...]] = (
    ("Is everything protected?", verdicts),
    ("Assets", assets),
    ("What would be lost", rpo),
    ("Regions", regions),
    ("Drills", drills),
    ("Serving", serving),
)


def _assets() -> Panel:
    """Which assets are shown; all of them at first."""
    return (
        board.QueryVariable("asset")
        .label("Asset")
        .datasource(SOURCE)
        .query("label_values(dr_rpo_objective_seconds, asset)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
    )


if __name__ == "__main__":
    main()
