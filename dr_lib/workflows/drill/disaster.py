"""From a scenario to the blows that bring it over the world, as far as the configuration allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from dr_lib.errors import NotFound
from dr_lib.format import layout
from dr_lib.model.asset import Asset
from dr_lib.model.manifest import Manifest
from dr_lib.model.region import Region
from dr_lib.vault.vault import Vault
from dr_lib.workflows.drill.blows.aside import AsideBlow
from dr_lib.workflows.drill.blows.blow import Blow
from dr_lib.workflows.drill.blows.commands import CommandBlow
from dr_lib.workflows.drill.blows.encrypted import EncryptedBlow
from dr_lib.workflows.drill.blows.objects import DamagedBlow, DeletedBlow

SOURCE_STAYS: Final = "the live data was not touched: dr.yaml does not allow it (`drill: {takes_source: true}`)"


@dataclass(frozen=True, slots=True)
class Ground:
    """What drills may touch: the asset's `regions` with their levers; the directories of the live data (None: not
    allowed, or no directory) and of what this machine remembers. `words` tell what the drill itself pretends."""

    regions: Mapping[str, Region]
    source: str | None = None
    cache: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Disaster:
    """`blows` to be dealt. `really`: they are all that the scenario says; else the drill keeps away from the region
    `away`, if any, and `gaps` tell what was not done. `silences`: the region must not answer any more."""

    blows: tuple[Blow, ...] = ()
    really: bool = False
    how: str = ""
    away: str = ""
    gaps: tuple[str, ...] = ()
    silences: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """What a disaster is made for. `look` finds the vault that is asked first and the manifest it gives."""

    drill: str
    asset: Asset
    lost: str
    ground: Ground
    look: Callable[[], tuple[Vault, Manifest]]
    lost_vault: Callable[[], Vault]


def disaster_of(scenario: str, scene: Scene) -> Disaster:
    """What is to be done. Reads what it must; changes nothing. Raises what keeps it from being planned."""
    return _PLANS.get(scenario, _pretended)(scene)


def _region_lost(scene: Scene) -> Disaster:
    return _silenced(scene, "lose", _taken_source(scene))


def _slow_link(scene: Scene) -> Disaster:
    return _silenced(scene, "lose", ())


def _credentials_revoked(scene: Scene) -> Disaster:
    return _silenced(scene, "revoke", ())


def _silenced(scene: Scene, lever: str, besides: tuple[Blow, ...] | None) -> Disaster:
    levers = scene.ground.regions[scene.lost].rehearsal
    pair = (levers.lose, levers.give_back) if lever == "lose" else (levers.revoke, levers.reinstate)
    gaps = () if besides is not None else (SOURCE_STAYS,)
    if not pair[0]:
        gaps = (f"dr.yaml names no command that does it (`rehearsal: {{{lever}: …}}` of {scene.lost})", *gaps)
    own = (CommandBlow(scene.lost, lever, *pair, levers.within_s),) if pair[0] else ()
    return Disaster((*own, *(besides or ())), bool(own), scene.ground.words, scene.lost, gaps, silences=True)


def _taken_source(scene: Scene) -> tuple[Blow, ...] | None:
    path = scene.ground.source
    return None if path is None else (AsideBlow(path, f"{path}.lost-{scene.drill}", disposable=False),)


def _pack_damaged(scene: Scene) -> Disaster:
    vault, manifest = scene.look()
    if not scene.ground.regions[vault.region].rehearsal.damage:
        return Disaster(away=vault.region, gaps=(_not_damaged(vault.region, "no byte was turned"),))
    return Disaster((DamagedBlow(vault.region, *_vital_byte(manifest)),), really=True)


def _vital_byte(manifest: Manifest) -> tuple[str, int]:
    """Key and offset of a byte without which no restore of the point is right: the middle of its longest frame."""
    frames = [frame for file in manifest.files for frame in file.frames]
    if not frames:
        raise NotFound("the point has no stored byte that could be damaged", where=manifest.summary.point)
    longest = max(frames, key=lambda frame: frame.length)
    return layout.pack_key(manifest.summary.packs[longest.pack].sha256), longest.offset + longest.length // 2


def _points_deleted(scene: Scene) -> Disaster:
    if not scene.ground.regions[scene.lost].rehearsal.damage:
        return Disaster(away=scene.lost, gaps=(_not_damaged(scene.lost, "no point was deleted"),))
    name = scene.asset.name
    keys = tuple(layout.manifest_key(name, one.point) for one in scene.lost_vault().points(name))
    return Disaster((DeletedBlow(scene.lost, keys),), really=True)


def _not_damaged(region: str, what: str) -> str:
    return f"{what}: dr.yaml does not allow it (`rehearsal: {{damage: true}}` of {region}); the drill kept away from it"


def _source_encrypted(scene: Scene) -> Disaster:
    path = scene.ground.source
    if path is None:
        return Disaster(gaps=(SOURCE_STAYS,))
    blow = EncryptedBlow(path, f"{path}.lost-{scene.drill}", f"{path}.encrypted-{scene.drill}")
    return Disaster((blow,), really=True)


def _catalog_lost(scene: Scene) -> Disaster:
    path = scene.ground.cache
    if path is None:
        return Disaster(really=True, how="this machine remembers nothing of the vaults (no directory for caches)")
    return Disaster((AsideBlow(path, f"{path}.lost-{scene.drill}", disposable=True),), really=True)


def _pretended(scene: Scene) -> Disaster:
    return Disaster(really=True, how=scene.ground.words)


_PLANS: Final[dict[str, Callable[[Scene], Disaster]]] = {
    "region-lost": _region_lost,
    "slow-link": _slow_link,
    "credentials-revoked": _credentials_revoked,
    "pack-damaged": _pack_damaged,
    "points-deleted": _points_deleted,
    "source-encrypted": _source_encrypted,
    "catalog-lost": _catalog_lost,
}
"""The others are nothing that is done to the world: the drill itself lives with another key, clock or standby."""
