"""Undoing what somebody with a writer's credentials put over a vault."""

from __future__ import annotations

from dr_lib.errors import IntegrityError
from dr_lib.telemetry import workflow
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.uncover import uncover


class Uncovering(OverConfig):
    """Undoing what somebody with a writer's credentials put over a vault."""

    @workflow("uncover")
    def uncover(self, region: str) -> Document:
        """Put what was buried under newer versions or delete markers on top again, as the region's janitor.

        Idempotent, deletes nothing. `IntegrityError` (4), when all others are back, for objects of which no version is
        authentic: those are healed from elsewhere.
        """
        found = uncover(self._wiring.janitor(self.config.region(region).name), self._wiring.keys)
        if found.lost:
            raise IntegrityError(
                f"{len(found.restored)} objects are back; {len(found.lost)} have no whole version: {found.lost[0]}…",
                where=f"region {region}",
                hint="run `drctl verify --mode full` on this region, then copy the points from another one",
            )
        return {"region": region, "uncovered": list(found.restored)}
