"""The main job: protect two assets in three regions, lose the first region and the live data, prove the recovery.

Every step is a DAG run started over Airflow's REST API, as a person would start it in the web interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dr_lib.clock import Clock, utc_now
from dr_lib.demo.airflow_api import AirflowApi
from dr_lib.demo.configuration import DATASET, MODEL
from dr_lib.demo.regions import REGIONS, DemoRegions
from dr_lib.demo.workspace import Workspace
from dr_lib.errors import ObjectiveMissed

ASSETS = (MODEL, DATASET)
LOST_REGION = REGIONS[0]
SCENARIO = "region-lost"
FRESHNESS = "dr_freshness"
STEP_SECONDS = 600.0

Facts = dict[str, Any]
Say = Callable[[str], None]


def dags_of_the_job() -> set[str]:
    """The DAGs that the job starts."""
    steps = {f"dr_{step}__{asset}" for asset in ASSETS for step in ("backup", "verify", "drill")}
    return steps | {"dr_replicate", FRESHNESS}


@dataclass(frozen=True, slots=True)
class MainJob:
    """One run of the job over the demo in `workspace`; `say` receives a line a step."""

    workspace: Workspace
    regions: DemoRegions
    api: AirflowApi
    say: Say
    clock: Clock = utc_now

    def run(self) -> dict[str, Facts]:
        """The committed point and the drill of every asset, by asset. The disaster is undone whatever happens."""
        for dag_id in sorted(dags_of_the_job()):
            self.api.unpause(dag_id)
        points = self._for_each_asset(self._protect)
        with self._disaster() as disaster_at:
            drills = self._for_each_asset(lambda asset: self._drill(asset, disaster_at))
        self._look()
        return {asset: {"point": points[asset], "drill": drills[asset]} for asset in ASSETS}

    def _for_each_asset(self, step: Callable[[str], Facts]) -> dict[str, Facts]:
        with ThreadPoolExecutor(max_workers=len(ASSETS)) as threads:
            try:
                return dict(zip(ASSETS, threads.map(step, ASSETS), strict=True))
            except BaseException:
                self.api.give_up()  # the other asset's wait must not keep an interrupted run, and its disaster, going
                raise

    def _protect(self, asset: str) -> Facts:
        backup = self._run(f"dr_backup__{asset}", {"region": LOST_REGION})
        point: Facts = self.api.result(f"dr_backup__{asset}", backup, "commit")
        self.say(f"{asset}: point {point['point']} committed in {LOST_REGION}")
        self.api.wait("dr_replicate", f"point__{asset}__{point['point']}", STEP_SECONDS)
        self.say(f"{asset}: copied to {', '.join(REGIONS[1:])}")
        self._run(f"dr_verify__{asset}", {})
        self.say(f"{asset}: every byte of every copy read again and found whole")
        return point

    def _look(self) -> None:
        """Have the catalog refreshed, which the page reads; what it finds is no part of the job's verdict."""
        try:
            self._run(FRESHNESS, {})
        except ObjectiveMissed as error:
            self.say(f"not everything is protected: {error.what}")
        else:
            self.say("everything is protected, by what the regions hold")

    def _run(self, dag_id: str, conf: Facts) -> str:
        run_id = self.api.trigger(dag_id, conf)
        self.say(f"started {dag_id}")
        self.api.wait(dag_id, run_id, STEP_SECONDS)
        return run_id

    @contextmanager
    def _disaster(self) -> Iterator[datetime]:
        self.say(f"disaster: the server of {LOST_REGION} is stopped, the live data is taken away")
        try:
            self.regions.stop(LOST_REGION)
            self.workspace.sources.rename(self.workspace.sources_aside)
            yield self.clock()
        finally:
            undo_disaster(self.workspace)
            self.regions.start_missing()
            self.say(f"{LOST_REGION} and the live data are back")

    def _drill(self, asset: str, disaster_at: datetime) -> Facts:
        dag_id = f"dr_drill__{asset}"
        run_id = self.api.trigger(
            dag_id, {"scenario": SCENARIO, "region": LOST_REGION, "disaster_at": disaster_at.isoformat()}
        )
        self.say(f"started {dag_id}")
        drill: Facts = self.api.result_of(dag_id, run_id, "drill", STEP_SECONDS)
        self.say(f"{asset}: {drill['verdict']}")
        return drill


def undo_disaster(workspace: Workspace) -> bool:
    """Bring live data back that a drill took away; True when there was some. Safe to repeat."""
    if workspace.sources.exists() or not workspace.sources_aside.exists():
        return False
    workspace.sources_aside.rename(workspace.sources)
    return True
