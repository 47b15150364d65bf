"""`metrics:` of a `dr.yaml`: where the token lies that lets a scraper read the metrics."""

from __future__ import annotations

from pathlib import Path

from dr_lib.config.protection import Reference, beside
from dr_lib.config.strict import Strict
from dr_lib.model.config import MetricsPolicy


class MetricsSchema(Strict):
    """`metrics:` of the whole file."""

    token: Reference | None = None

    def fact(self, folder: Path) -> MetricsPolicy:
        """As the program sees it; relative paths start from `folder`."""
        return MetricsPolicy(None if self.token is None else beside(self.token, folder))
