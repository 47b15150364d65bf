"""What a smoke test measured against the bounds that the asset's owner set. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dr_lib.model.drill import SmokeCheck
from dr_lib.model.smoke import SmokeLimits

_AT_MOST: Final = {
    "latency_p95_s": ("95 % latency", "s"),
    "load_s": ("time to load", "s"),
    "peak_rss_bytes": ("peak memory", "bytes"),
    "peak_gpu_bytes": ("peak GPU memory", "bytes"),
}
_SPEED: Final = ("95 % latency", "throughput", "median latency", "slowdown")


def checks(
    limits: SmokeLimits, measures: Mapping[str, float], recorded_p50_s: float | None, unit: str = "inputs"
) -> Iterator[SmokeCheck]:
    """One check a bound that is set, throughput in `unit` a second.

    What was not measured does not hold: unknown is never fine.
    """
    for name, (words, measure) in _AT_MOST.items():
        bound = getattr(limits, name)
        if bound is not None:
            yield _at_most(words, measures.get(name), float(bound), measure)
    if limits.throughput_per_s is not None:
        yield _at_least("throughput", measures.get("throughput_per_s"), limits.throughput_per_s, f"{unit}/s")
    if limits.slowdown is not None:
        now = measures.get("latency_p50_s")
        times = now / recorded_p50_s if now is not None and recorded_p50_s else None
        yield _at_most("slowdown", times, limits.slowdown, "times the recorded latency")


def is_speed(check: SmokeCheck) -> bool:
    """Whether the check is about how fast it answers, and not about what."""
    return check.name in _SPEED


def _at_most(name: str, measured: float | None, bound: float, unit: str) -> SmokeCheck:
    held = measured is not None and measured <= bound
    return SmokeCheck(name, _words(measured, unit), f"<= {bound:g} {unit}", held)


def _at_least(name: str, measured: float | None, bound: float, unit: str) -> SmokeCheck:
    held = measured is not None and measured >= bound
    return SmokeCheck(name, _words(measured, unit), f">= {bound:g} {unit}", held)


def _words(measured: float | None, unit: str) -> str:
    return "not measured" if measured is None else f"{measured:.4g} {unit}"
