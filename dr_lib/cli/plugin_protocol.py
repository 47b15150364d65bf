"""The Nagios plugin protocol: a line of status with performance data, then lines for a person.

https://nagios-plugins.org/doc/guidelines.html; Nagios keeps 8 KiB of an answer, so what is worst comes first and the
rest is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

UNKNOWN: Final = 3
MOST_LINES: Final = 20
LONGEST_LINE: Final = 200
MOST_PERFORMANCE: Final = 3_500
"""Characters; with the lines above it stays below 8 KiB."""
WORST_FIRST: Final = ("critical", "unknown", "warning", "ok")


def safe(text: str, longest: int = LONGEST_LINE) -> str:
    """`text` on one line, without the bar that would end it, and not longer than that."""
    flat = re.sub(r"\s+", " ", re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text)).strip().replace("|", "/")
    return flat if len(flat) <= longest else flat[: longest - 3] + "..."


def answer(document: dict[str, Any]) -> str:
    """A check's document as a plugin says it."""
    assets = sorted(document["assets"], key=lambda one: (WORST_FIRST.index(one["state"]), one["asset"]))
    first = f"DR {document['state'].upper()} - {_headline(document['state'], assets, document['endpoints'])}"
    performance = _fitting([*_counts(assets), *(figure for one in assets for figure in _figures(one))])
    told = sorted((*assets, *document["endpoints"]), key=lambda one: WORST_FIRST.index(one["state"]))
    lines = [safe(f"{_name(one)} {one['state'].upper()}: {why}") for one in told for why in one["reasons"]]
    more = [f"and {len(lines) - MOST_LINES} more: drctl check --json"] if len(lines) > MOST_LINES else []
    return "\n".join([f"{first} | {performance}", *lines[:MOST_LINES], *more])


def unknown(what: str, where: str | None = None, problems: Sequence[str] = (), hint: str | None = None) -> str:
    """That no check could be made, why, and what next."""
    first = safe("DR UNKNOWN - " + what + (f" [{where}]" if where else ""), 500) + (
        f"; next: {safe(hint, 500)}" if hint else ""
    )
    return "\n".join([first, *(safe(one) for one in problems[:MOST_LINES])])


def _name(one: dict[str, Any]) -> str:
    return str(one.get("endpoint") or one["asset"])


def _headline(state: str, assets: Sequence[dict[str, Any]], endpoints: Sequence[dict[str, Any]]) -> str:
    if not assets:
        return "dr.yaml names no assets"
    bad = next((one for one in endpoints if one["state"] == state != "ok"), None)
    if bad is not None and assets[0]["state"] != state:
        return safe(f"{_name(bad)}: {bad['text']}")
    head = f"{assets[0]['asset']}: {assets[0]['text']}"
    if len(assets) == 1:
        return safe(head)
    alike = sum(one["state"] == state for one in assets)
    count = f"{alike} of {len(assets)} assets {state}"
    return count if state == "ok" else safe(f"{count}: {head}")


def _counts(assets: Sequence[dict[str, Any]]) -> Iterator[str]:
    for state in WORST_FIRST[::-1]:
        yield _figure(f"assets {state}", sum(one["state"] == state for one in assets))


def _figures(one: dict[str, Any]) -> Iterator[str]:
    """Without a verified point its age is `U`, as the protocol says what could not be measured; no drill, no figure."""
    name = one["asset"]
    yield _figure(f"{name} rpo", one["rpo_s"], "s", one["rpo_warning_s"], one["rpo_objective_s"])
    if one["rto_s"] is not None:
        yield _figure(f"{name} rto", one["rto_s"], "s", one["rto_objective_s"])
    if one["drill_age_s"] is not None:
        yield _figure(f"{name} drill age", one["drill_age_s"], "s")


def _figure(
    label: str, value: float | None, unit: str = "", warning: float | None = None, critical: float | None = None
) -> str:
    measured = "U" if value is None else _number(value) + unit
    quoted = label.replace("'", "''").replace("=", "-").replace("|", "/")
    return f"'{quoted}'={measured};{_number(warning)};{_number(critical)};0"


def _number(value: float | None) -> str:
    """Never with an exponent, which parsers of the protocol do not know."""
    return "" if value is None else f"{value:.3f}".rstrip("0").rstrip(".")


def _fitting(figures: Iterable[str]) -> str:
    told, length = [], 0
    for figure in figures:
        length += len(figure) + 1
        if length > MOST_PERFORMANCE:
            break
        told.append(figure)
    return " ".join(told)
