"""`switch:` of an endpoint: what moves its traffic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dr_lib.config.strict import Strict


class SwitchSchema(Strict):
    """Placeholder until the kinds are here."""

    kind: str

    def fact(self, folder: Path) -> Any:
        """What the rest of the program sees."""
        return self
