"""The recovery figures in the text form that Prometheus reads (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_HELP: Final = {
    "dr_assets": "Assets by how they stand now.",
    "dr_protected": "1 when the asset has a verified point as young as its RPO demands and no problem, else 0.",
    "dr_rpo_seconds": "Age of the newest verified point in any region.",
    "dr_rpo_objective_seconds": "Promised RPO.",
    "dr_observed_timestamp_seconds": "When the asset was last looked at.",
    "dr_region_rpo_seconds": "Age of the newest point that is verified in that region.",
    "dr_region_answers": "1 when the region answered at the last look, else 0.",
    "dr_region_unread_seconds": "For how long the byte that waited longest there was not read again.",
}


def exposition(overview: Mapping[str, Any], views: Iterable[Mapping[str, Any]]) -> str:
    """All figures. What is not known has no sample: an absent one is to be alarmed on, too."""
    samples: dict[str, list[str]] = {name: [] for name in _HELP}
    for state in ("protected", "failing", "unknown", "never_seen"):
        samples["dr_assets"].append(_sample("dr_assets", overview[state], state=state))
    for view in views:
        for name, value, labels in _of(view):
            if value is not None:
                samples[name].append(_sample(name, value, **labels))
    return "".join(_family(name, lines) for name, lines in samples.items() if lines)


def _family(name: str, lines: Iterable[str]) -> str:
    return f"# HELP {name} {_HELP[name]}\n# TYPE {name} gauge\n{''.join(lines)}"


def _of(view: Mapping[str, Any]) -> Iterator[tuple[str, float | None, dict[str, str]]]:
    asset = {"asset": view["asset"]}
    yield "dr_protected", float(view["protection"] == "protected"), asset
    yield "dr_rpo_seconds", view["rpo_s"], asset
    yield "dr_rpo_objective_seconds", view["rpo_objective_s"], asset
    yield "dr_observed_timestamp_seconds", datetime.fromisoformat(view["observed_at"]).timestamp(), asset
    for region in view["regions"]:
        labels = asset | {"region": region["region"]}
        yield "dr_region_rpo_seconds", region["rpo_s"], labels
        yield "dr_region_answers", float(not region["silent"]), labels
        yield "dr_region_unread_seconds", region["unread_s"], labels


def _sample(name: str, value: float, **labels: str) -> str:
    said = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
    return f"{name}{{{said}}} {float(value):.17g}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
