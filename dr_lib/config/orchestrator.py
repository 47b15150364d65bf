"""From `orchestrator:` of a `dr.yaml` to the asset that Airflow itself is, and where what belongs to it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from dr_lib.config.schema import OrchestratorSchema
from dr_lib.model.asset import Asset, AssetKind, DrillPolicy
from dr_lib.model.orchestrator import NAME, OrchestratorPolicy
from dr_lib.model.region import StoreRef
from dr_lib.model.serving import Endpoint

STAGING = Path(".dr-state") / "orchestrator"


def orchestrator_asset(saved: OrchestratorSchema, folder: Path, parts: Callable[..., dict[str, Any]]) -> Asset:
    """The asset; its source is where the snapshot is gathered. Nothing in it is compared with the point before: a
    database changes in every way."""
    told = parts(saved)
    drill = replace(cast("DrillPolicy", told.pop("drill")), control_s=None)
    place = folder / (saved.staging or STAGING)
    return Asset(
        name=NAME,
        kind=AssetKind.ORCHESTRATOR,
        source=StoreRef(place.absolute().as_uri()),
        regions=tuple(saved.regions),
        schedule=saved.schedule,
        gates=None,
        drill=drill,
        **told,
    )


def orchestrator_policy(
    saved: OrchestratorSchema, folder: Path, assets: Iterable[Asset], served: Iterable[Endpoint] = ()
) -> OrchestratorPolicy:
    """Where its parts lie. Files that assets and endpoints name beside dr.yaml belong to it."""
    named = {path for asset in assets for path in _named(asset)}
    named |= {one.health.answers for one in served if one.health.answers is not None}
    return OrchestratorPolicy(
        database=saved.database,
        dags=None if saved.dags is None else folder / saved.dags,
        plugins=None if saved.plugins is None else folder / saved.plugins,
        files=tuple(sorted(path for path in named if path.is_relative_to(folder))),
        rehearsal=saved.rehearsal,
        queue=saved.queue,
        saves_keys=saved.saves_keys,
    )


def _named(asset: Asset) -> Iterable[Path]:
    chain = asset.signature.certificate_chain if asset.signature else ()
    key = asset.signature.public_key if asset.signature else None
    golden = asset.smoke.golden if asset.smoke else None
    return [path for path in (golden, asset.expectations, key, *chain) if path is not None]
