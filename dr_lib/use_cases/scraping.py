"""What a monitoring system asks every few seconds: all figures at once, and whether it may."""

from __future__ import annotations

import hmac
from collections import Counter
from typing import Final

from dr_lib.errors import UsageError
from dr_lib.format.canonical import time_text
from dr_lib.keys import SecretSource
from dr_lib.model.alert import Severity
from dr_lib.policy.schedules import last_due
from dr_lib.storage.credentials import Connections
from dr_lib.use_cases.over_config import Document
from dr_lib.use_cases.serving import Serving

LEAST_CHARACTERS: Final = 16
_HINT: Final = "`openssl rand -hex 32` makes one; what asks for the metrics sends the same"


class Scraping(Serving):
    """Figures for monitoring, all from the catalog: no region is asked, so a lost one makes nothing slow."""

    def figures(self) -> Document:
        """`{"overview", "stale_after_s", "assets", "promises", "drills", "alerts", "endpoints", "serving"}`, in a
        handful of queries.

        `assets` are as `asset_views` has them, `drills` the newest of each scenario of each asset, `alerts` counts open
        ones by severity. `promises`, by asset, is what dr.yaml says now: `verify_within_s`, and `drill_due_at`, the
        last moment that the schedule named, None without a schedule. `endpoints` are those of dr.yaml, `serving` those
        that were seen.
        """
        return {
            "overview": self.overview(),
            "stale_after_s": self.config.catalog.stale_after.total_seconds(),
            "assets": self.every_asset_view(),
            "promises": self._promises(),
            "drills": self._newest_drills(),
            "alerts": self._count_alerts(),
            "endpoints": list(self.config.serving),
            "serving": self.serving_views(),
        }

    def may_scrape(self, sent: str, connections: Connections | None = None) -> bool:
        """True for the token that `metrics:` of dr.yaml leads to, compared in constant time; it opens only the metrics.

        `connections` resolves `airflow:` for this token and nothing else. `UsageError` (2) when nothing is there, or
        something too short to be a secret.
        """
        reference = self.config.metrics.token
        if reference is None:
            return False
        token = SecretSource(self._wiring.environ, connections or self._wiring.connections).text(reference)
        if token is None:
            raise UsageError("the token for the metrics is not there", where=reference, hint=_HINT)
        if len(token) < LEAST_CHARACTERS:
            what = f"the token for the metrics is shorter than {LEAST_CHARACTERS} characters"
            raise UsageError(what, where=reference, hint=_HINT)
        return hmac.compare_digest(sent.encode(), token.encode())

    def _promises(self) -> dict[str, Document]:
        now, assets = self._wiring.clock(), self.config.assets
        lines = {asset.drill.schedule for asset in assets.values()}
        due = {line: None if line is None else time_text(last_due(line, now)) for line in lines}
        return {
            name: {"verify_within_s": asset.verify_within.total_seconds(), "drill_due_at": due[asset.drill.schedule]}
            for name, asset in assets.items()
        }

    def _newest_drills(self) -> list[Document]:
        from dr_lib.catalog.db.figures import newest_drills

        return [
            {
                "asset": asset,
                "scenario": one.scenario,
                "verdict": one.verdict,
                "finished_at": time_text(one.finished_at),
                "rto_s": one.rto_s,
                "rpo_s": one.rpo_s,
            }
            for asset, one in self._asked(lambda connection, _: newest_drills(connection))
        ]

    def _count_alerts(self) -> dict[str, int]:
        """Severities without an open alert count 0: nothing open is known, not unknown."""
        found = Counter(one["severity"] for one in self.open_alerts()["alerts"])
        return {one.value: found[one.value] for one in Severity}
