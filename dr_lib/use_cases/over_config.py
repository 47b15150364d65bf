"""What every group of use cases stands on: one wired configuration."""

from __future__ import annotations

from typing import Any

from dr_lib.model.config import Config
from dr_lib.wiring import Wiring

Document = dict[str, Any]


class OverConfig:
    """Holds the wiring; nothing is open between two calls."""

    def __init__(self, wiring: Wiring) -> None:
        """`wiring` opens what the configuration names."""
        self._wiring = wiring

    @property
    def config(self) -> Config:
        """The configuration."""
        return self._wiring.config
