"""From the checked schema to the frozen facts that the rest of the program sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dr_lib.config.locations import absolute
from dr_lib.config.orchestrator import orchestrator_asset, orchestrator_policy
from dr_lib.config.schema import (
    AssetSchema,
    DrillSchema,
    FileSchema,
    ObjectivesSchema,
    OrchestratorSchema,
    PruneSchema,
    RegionLimitsSchema,
    RegionSchema,
    RetentionSchema,
    RolesSchema,
    SignatureSchema,
    StoreSchema,
)
from dr_lib.config.serving import endpoints
from dr_lib.config.smoke import smoke_policy
from dr_lib.config.standbys import policies
from dr_lib.model.asset import (
    Asset,
    AssetKind,
    DrillPolicy,
    Objectives,
    Retention,
    SignaturePolicy,
)
from dr_lib.model.config import CatalogPolicy, Config, Limits
from dr_lib.model.gates import Gates
from dr_lib.model.orchestrator import NAME
from dr_lib.model.prune import PrunePolicy
from dr_lib.model.rates import Hours, RateLimits, Rates
from dr_lib.model.region import LockMode, LockPolicy, Region, Role, RoleCredentials, StoreRef
from dr_lib.model.rehearsal import NO_LEVERS


def build(file: FileSchema, path: Path) -> Config:
    """The configuration at `path` (absolute); relative paths in it start from its folder."""
    folder = path.parent
    assets = {name: _asset(name, asset, folder) for name, asset in file.assets.items()}
    saved = file.orchestrator
    served = endpoints(file.serving, folder, {name: asset.regions for name, asset in assets.items()})
    own = {} if saved is None else {NAME: orchestrator_asset(saved, folder, _promises)}
    return Config(
        path=path,
        regions={name: _region(name, region, path.parent) for name, region in file.regions.items()},
        assets={**assets, **own},
        orchestrator=None if saved is None else orchestrator_policy(saved, folder, assets.values(), served.values()),
        serving=served,
        encryption=None if file.encryption is None else file.encryption.fact(path.parent),
        signing=None if file.signing is None else file.signing.fact(path.parent),
        limits=Limits(shard_bytes=file.limits.shard, workers=file.limits.workers),
        standbys=policies(file.standbys),
        catalog=CatalogPolicy(file.catalog.url, file.catalog.stale_after, file.catalog.schedule),
        alerts=file.alerts.fact(),
        metrics=file.metrics.fact(path.parent),
        prune=PrunePolicy(**{name: getattr(file.prune, name) for name in PruneSchema.model_fields}),
    )


def _region(name: str, region: RegionSchema, folder: Path) -> Region:
    lock = None if region.lock is None else LockPolicy(LockMode(region.lock.mode), region.lock.days)
    limits = None if region.limits is None else _limits(region.limits)
    place = StoreRef(absolute(region.url, folder), region.endpoint)
    levers = NO_LEVERS if region.rehearsal is None else region.rehearsal.fact()
    return Region(name, place, lock, limits, _credentials(region.credentials), levers, region.pool)


def _credentials(roles: RolesSchema | None) -> RoleCredentials:
    if roles is None:
        return RoleCredentials.shared(None)
    named = {role: getattr(roles, role.value) for role in Role}
    return RoleCredentials({role: reference for role, reference in named.items() if reference is not None})


def _limits(limits: RegionLimitsSchema) -> RateLimits:
    hours = tuple(Hours(one.start, one.end, Rates(one.upload, one.download)) for one in limits.hours)
    return RateLimits(Rates(limits.upload, limits.download), hours, limits.timezone)


def _store(store: StoreSchema, folder: Path) -> StoreRef:
    return StoreRef(absolute(store.url, folder), store.endpoint, store.credentials)


def _asset(name: str, asset: AssetSchema, folder: Path) -> Asset:
    return Asset(
        name=name,
        kind=AssetKind(asset.kind),
        source=_store(asset.source, folder),
        regions=tuple(asset.regions),
        schedule=asset.schedule,
        **_promises(asset),
        smoke=None if asset.smoke is None else smoke_policy(asset.smoke, folder),
        expectations=_beside(asset.expectations, folder),
        signature=None if asset.signature is None else _signature(asset.signature, folder),
        gates=None if asset.gates is None else Gates(**asset.gates.model_dump()),
    )


def _promises(asset: AssetSchema | OrchestratorSchema) -> dict[str, Any]:
    """What is promised of any asset, and how it is watched."""
    return {
        "verify_schedule": asset.verify.schedule,
        "verify_within": asset.verify.within,
        "heals": asset.verify.heal,
        "objectives": _objectives(asset.objectives),
        "retention": _retention(asset.retention),
        "drill": _drill(asset.drill),
    }


def _objectives(objectives: ObjectivesSchema) -> Objectives:
    return Objectives(objectives.rpo, objectives.rto)


def _retention(kept: RetentionSchema) -> Retention:
    return Retention(**{name: getattr(kept, name) for name in RetentionSchema.model_fields})


def _drill(drill: DrillSchema) -> DrillPolicy:
    plan = tuple(drill.scenarios)
    search_s = None if drill.control is None else drill.control.total_seconds()
    return DrillPolicy(drill.schedule, drill.scenario, drill.standby, plan, drill.link, drill.takes_source, search_s)


def _signature(signature: SignatureSchema, folder: Path) -> SignaturePolicy:
    chain = tuple(folder / path for path in signature.certificate_chain)
    return SignaturePolicy(_beside(signature.public_key, folder), chain)


def _beside(path: str | None, folder: Path) -> Path | None:
    return None if path is None else folder / path
