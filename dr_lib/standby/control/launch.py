"""Starts the fresh process of a control; a crash or a hang leaves unknown what it would have shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dr_lib.clock import monotonic
from dr_lib.model.drill import Control, Sensitivity
from dr_lib.standby.control.request import ControlRequest, sensitivity_from_json
from dr_lib.standby.smoke.launch import NoAnswer, Start, ask, start_here

_PROBE: Final = "dr_lib.standby.control"


def control(request: ControlRequest, *, start: Start = start_here, ahead_s: float = 0.0) -> Sensitivity:
    """Damage copies of what stands in `request.smoke.directory`, and tell on which of them the smoke test fails.

    Changes nothing there, and may be repeated. Never raises for anything that the asset does: what could not be tried
    is told as such, and never counts as caught.
    """
    started = monotonic()
    found = _found(request, start, ahead_s)
    return replace(found, seconds=monotonic() - started)


def _found(request: ControlRequest, start: Start, ahead_s: float) -> Sensitivity:
    try:
        answer = ask(request.task(), request.timeout_s, start, ahead_s, module=_PROBE)
    except NoAnswer as error:
        return _unknown(request, error.what.replace("smoke test", "control").replace("smoke process", "control"))
    if "error" in answer:
        return _unknown(request, answer["error"])
    return sensitivity_from_json(answer["result"])


def _unknown(request: ControlRequest, why: str) -> Sensitivity:
    return Sensitivity(tuple(Control(name, caught=None, detail=why) for name in request.names))
