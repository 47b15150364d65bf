"""The smoke test: does what was restored still answer as it did? Runs in a fresh process.

This side only starts that process and reads its answer; torch, pandas and Great Expectations are loaded by the
child alone (`python -I -m dr_lib.standby.smoke`).
"""

from dr_lib.standby.smoke.launch import (
    OFFLINE,
    broken_expectations,
    record_golden,
    record_tables,
    run,
)
from dr_lib.standby.smoke.request import DEFAULT_TIMEOUT_S, SmokeRequest

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "OFFLINE",
    "SmokeRequest",
    "broken_expectations",
    "record_golden",
    "record_tables",
    "run",
]
