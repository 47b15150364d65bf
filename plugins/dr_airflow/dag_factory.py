"""All DAGs of a configuration, or the one that is asked for."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from airflow.sdk import DAG

from dr_airflow.backup_dag import backup_dag
from dr_airflow.conventions import (
    EMERGENCY_DAG,
    FRESHNESS_DAG,
    ORCHESTRATOR_DAG,
    REPLICATE_DAG,
    RESTORE_DAG,
    RETENTION_DAG,
    Pools,
    dag_id,
    pool_of,
)
from dr_airflow.drill_dag import drill_dag
from dr_airflow.failover_dag import move_dag
from dr_airflow.freshness_dag import freshness_dag
from dr_airflow.orchestrator_dag import orchestrator_dag
from dr_airflow.replicate_dag import replicate_dag
from dr_airflow.restore_dag import emergency_dag, restore_dag
from dr_airflow.retention_dag import retention_dag
from dr_airflow.serving_dag import serving_dag
from dr_airflow.verify_dag import verify_dag
from dr_lib.model.asset import Asset
from dr_lib.model.config import Config
from dr_lib.model.orchestrator import NAME as ORCHESTRATOR
from dr_lib.model.serving import Site

_PER_ASSET: dict[str, Callable[[Asset, Pools], DAG]] = {"backup": backup_dag, "verify": verify_dag}


def build_dags(config: Config, wanted: str | None = None) -> dict[str, DAG]:
    """DAGs by id, sorted; `wanted` alone when it is given. The same configuration gives the same DAGs."""
    with _uncollected():
        return {name: build() for name, build in _recipes(config) if wanted in (None, name)}


@contextmanager
def _uncollected() -> Iterator[None]:
    """Thousands of objects are made here and all of them stay: looking for garbage among them takes a fifth of the
    time, and finds none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _recipes(config: Config) -> Iterator[tuple[str, Callable[[], DAG]]]:
    assets = tuple(sorted(config.assets))
    pools = {name: pool_of(region) for name, region in sorted(config.regions.items())}
    for name in assets:
        itself = config.orchestrator if name == ORCHESTRATOR else None
        if itself is not None:
            yield ORCHESTRATOR_DAG, partial(orchestrator_dag, config.assets[name], itself, pools)
        for step, build in _PER_ASSET.items():
            if itself is None or step != "backup":
                yield dag_id(step, name), partial(build, config.assets[name], pools)
        standby = config.standby(config.assets[name].drill.standby)
        yield dag_id("drill", name), partial(drill_dag, config.assets[name], standby)
    for name, endpoint in sorted(config.serving.items()):
        yield dag_id("serving", name), partial(serving_dag, endpoint)
        yield dag_id("failover", name), partial(move_dag, endpoint, Site.STANDBY)
        yield dag_id("failback", name), partial(move_dag, endpoint, Site.PRIMARY)
    if not assets:
        return
    yield REPLICATE_DAG, lambda: replicate_dag(assets)
    yield RESTORE_DAG, lambda: restore_dag(assets, tuple(sorted(config.regions)))
    yield EMERGENCY_DAG, lambda: emergency_dag(assets, tuple(sorted(config.regions)))
    yield FRESHNESS_DAG, lambda: freshness_dag(assets, config.catalog)
    yield RETENTION_DAG, lambda: retention_dag(pools, config.prune)
