"""The composition root: one configuration, wired. The command line and the Airflow plugin call nothing else,
but for keys on paper (`use_cases/key_files.py`), which need no configuration.

Every method returns a plain, JSON-ready document and raises errors of `dr_lib.errors`. Nothing is opened before a
method needs it, and opening a region never waits longer than its store's time-outs.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self

from dr_lib.clock import Clock, utc_now
from dr_lib.config import load_config, values
from dr_lib.errors import Refused, UsageError
from dr_lib.model.rates import Rates
from dr_lib.model.region import Region, Role
from dr_lib.storage.base import RegionJanitor
from dr_lib.storage.credentials import Connections
from dr_lib.storage.throttles import Throttles
from dr_lib.telemetry import workflow
from dr_lib.use_cases.checking import Checking
from dr_lib.use_cases.distrusting import Distrusting
from dr_lib.use_cases.drilling import Drilling
from dr_lib.use_cases.healing import Healing
from dr_lib.use_cases.holding import Holding
from dr_lib.use_cases.keeping_keys import KeepingKeys
from dr_lib.use_cases.keeping_kits import KeepingKits
from dr_lib.use_cases.moving import Moving
from dr_lib.use_cases.orchestrating import Orchestrating
from dr_lib.use_cases.over_config import Document
from dr_lib.use_cases.proving import Proving
from dr_lib.use_cases.pruning import Pruning
from dr_lib.use_cases.reporting import Reporting
from dr_lib.use_cases.scraping import Scraping
from dr_lib.use_cases.showing import Showing
from dr_lib.use_cases.uncovering import Uncovering
from dr_lib.use_cases.verifying import Verifying
from dr_lib.wiring import Wiring
from dr_lib.workflows.initialize import Site, initialize


class Runtime(
    Orchestrating,
    Verifying,
    Healing,
    Moving,
    Showing,
    Drilling,
    Proving,
    Distrusting,
    Reporting,
    Checking,
    Scraping,
    KeepingKeys,
    KeepingKits,
    Holding,
    Pruning,
    Uncovering,
):
    """Every use case over one configuration. Make one with `Runtime.load`; safe to keep, holds nothing open."""

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        *,
        environ: Mapping[str, str] | None = None,
        connections: Connections | None = None,
        clock: Clock = utc_now,
    ) -> Self:
        """Wire the configuration at `path`, `DR_CONFIG`, or `dr.yaml` here; `ConfigError` (2) lists every problem.

        `connections` resolves `airflow:` credentials; without it they are refused.
        """
        surroundings = os.environ if environ is None else environ
        config = load_config(path)
        standbys = Path(surroundings.get("DR_STANDBY_DIR") or Path(tempfile.gettempdir()) / f"dr-standby-{os.getuid()}")
        limits = {region.name: region.limits for region in config.regions.values() if region.limits is not None}
        return cls(Wiring(config, surroundings, connections, clock, standbys, Throttles(limits, clock)))

    def limited(self, upload: str | None = None, download: str | None = None) -> Self:
        """This runtime at no more than these rates (`20MB/s`), over all regions together and whatever dr.yaml says.

        A rate that is None leaves dr.yaml's in force. Raises `UsageError` (2) for what is no rate.
        """
        try:
            rates = Rates(values.optional_rate(upload), values.optional_rate(download))
        except ValueError as error:
            what, _, right = str(error).partition("; ")
            raise UsageError(what, hint=right) from error
        return type(self)(replace(self._wiring, throttles=self._wiring.throttles.forced(rates)))

    @workflow("init")
    def initialize(self, regions: Sequence[str] | None = None) -> Document:
        """Create the vaults of `regions` (all, when None); `Refused` (7) before any change when one is not empty.

        A region with a `lock` gets its vault only when the server refused to break it; `warnings` says what is odd.
        """
        names = list(self.config.regions) if not regions else list(regions)
        sites = [self._site(self.config.region(name)) for name in names]
        kit, why = self._new_kit(names)
        return {"regions": initialize(sites, self._wiring.keys, self._wiring.clock, kit), "kit_missing": why}

    def _site(self, region: Region) -> Site:
        attacker, role = self._strongest(region.name)
        return Site(region, self._wiring.store(region.name, Role.WRITER), attacker, role)

    def _strongest(self, region: str) -> tuple[RegionJanitor, Role]:
        """What tries a region's lock: the janitor, or the writer on a machine without the janitor's credentials."""
        try:
            return self._wiring.janitor(region), Role.JANITOR
        except (Refused, UsageError):
            return self._wiring.janitor(region, Role.WRITER), Role.WRITER
