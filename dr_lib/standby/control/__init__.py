"""The sensitivity control: copies damaged on purpose, on each of which the smoke test must fail (ADR 0016).

This side only starts the fresh process and reads its answer (`python -I -m dr_lib.standby.control`).
"""

from dr_lib.standby.control.launch import control
from dr_lib.standby.control.request import ControlRequest, Older

__all__ = ["ControlRequest", "Older", "control"]
