"""`smoke:` of an asset: how a restored one is loaded and judged."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator

from dr_lib.config import values
from dr_lib.config.strict import Strict
from dr_lib.model.smoke import LOADERS, PANDAS, READERS, SmokeLimits, SmokePolicy, Tolerance, is_own_loader

DEVICES = ("auto", "cuda")


def _one_of(choices: tuple[str, ...]) -> Callable[[object], str]:
    def check(value: object) -> str:
        if value not in choices:
            raise ValueError(f"{value!r} is not known; write {' or '.join(choices)}")
        return str(value)

    return check


def _loader(value: object) -> str:
    if not isinstance(value, str) or (value not in LOADERS and not is_own_loader(value)):
        raise ValueError(f"{value!r} is not known; write {', '.join(LOADERS)}, or module:function of your own")
    return value


def _reader(value: object) -> str:
    if not isinstance(value, str) or (value not in READERS and not is_own_loader(value)):
        raise ValueError(f"{value!r} is not known; write {', '.join(READERS)}, or module:function of your own")
    return value


def _between(least: float, most: float) -> BeforeValidator:
    def check(value: object) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError(f"{value!r} is not allowed; write a number from {least:g} to {most:g}")
        return float(value)

    return BeforeValidator(check)


def _seconds(value: object) -> float | None:
    return None if value is None else values.duration(value).total_seconds()


def _bytes(value: object) -> int | None:
    return None if value is None else values.size(value)


def _elements(value: object) -> int | None:
    return None if value is None else values.whole(value, least=1, most=1_000_000)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is no switch; write true or false")
    return value


Seconds = Annotated[float | None, BeforeValidator(_seconds)]
Bytes = Annotated[int | None, BeforeValidator(_bytes)]
Text = Annotated[str, BeforeValidator(values.text)]


class ToleranceSchema(Strict):
    """`smoke.tolerance:` of an asset. What is left out is calibrated at each backup, or not judged."""

    cosine: Annotated[float | None, _between(0, 1)] = None
    max_abs: Annotated[float | None, _between(0, 1e9)] = None
    top_k: Annotated[int | None, BeforeValidator(_elements)] = None
    agreement: Annotated[float | None, _between(0, 1)] = 1.0
    perplexity: Annotated[float | None, _between(0, 1e9)] = None
    exact: Annotated[bool, BeforeValidator(_switch)] = False
    latency: Seconds = None


class SmokeLimitsSchema(Strict):
    """`smoke.limits:` of an asset. What is left out is measured, and not judged."""

    latency_p95: Seconds = None
    load: Seconds = None
    throughput: Annotated[float | None, _between(0, 1e9)] = None
    memory: Bytes = None
    gpu_memory: Bytes = None
    slowdown: Annotated[float | None, _between(1, 1e9)] = None


class SmokeSchema(Strict):
    """`smoke:` of a model, which names a loader, or of a dataset, which may name a reader."""

    loader: Annotated[str, BeforeValidator(_loader)] = ""
    reader: Annotated[str, BeforeValidator(_reader)] = ""
    golden: Text | None = None
    tolerance: ToleranceSchema = ToleranceSchema()
    limits: SmokeLimitsSchema = SmokeLimitsSchema()
    device: Annotated[str, BeforeValidator(_one_of(DEVICES))] = "auto"
    timeout: Annotated[timedelta, BeforeValidator(values.duration)] = timedelta(minutes=10)


def smoke_policy(smoke: SmokeSchema, folder: Path) -> SmokePolicy:
    """The policy; relative paths start in `folder`."""
    judged, bounds = smoke.tolerance, smoke.limits
    return SmokePolicy(
        loader=smoke.loader,
        golden=None if smoke.golden is None else folder / smoke.golden,
        tolerance=Tolerance(
            cosine=judged.cosine,
            max_abs=judged.max_abs,
            latency_s=judged.latency,
            top_k=judged.top_k,
            agreement=1.0 if judged.agreement is None else judged.agreement,
            perplexity=judged.perplexity,
            exact=judged.exact,
        ),
        device=smoke.device,
        limits=SmokeLimits(
            latency_p95_s=bounds.latency_p95,
            load_s=bounds.load,
            throughput_per_s=bounds.throughput,
            peak_rss_bytes=bounds.memory,
            peak_gpu_bytes=bounds.gpu_memory,
            slowdown=bounds.slowdown,
        ),
        timeout_s=smoke.timeout.total_seconds(),
        reader=smoke.reader or PANDAS,
    )
