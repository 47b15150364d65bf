"""Whether the smoke test that has just passed would have failed on a damaged copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from dr_lib.errors import DrError
from dr_lib.model.asset import Asset
from dr_lib.model.copy import CopyState, KnownPoint
from dr_lib.model.drill import Sensitivity
from dr_lib.model.manifest import Manifest
from dr_lib.policy.older_file import another_version
from dr_lib.standby.base import Standby
from dr_lib.standby.control import Older
from dr_lib.vault.vault import Vault

_LOOKED_AT: Final = 10
"""Older points whose manifests are read for another version of a file."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What passed its smoke test: the asset as `point` of `vault` has it, and what a standby needs to restore more."""

    asset: Asset
    drill: str
    point: str
    manifest: Manifest
    vault: Vault
    config: str
    environ: Mapping[str, str]


def control(passed: Passed, known: tuple[KnownPoint, ...], standby: Standby) -> Sensitivity | None:
    """Damage copies in the standby; None where the configuration wants none. Raises nothing that a copy does."""
    search_s = passed.asset.drill.control_s
    if search_s is None:
        return None
    return standby.control(passed.asset, passed.drill, _older(passed, known, standby), search_s)


def _older(passed: Passed, known: tuple[KnownPoint, ...], standby: Standby) -> Older:
    for point, path in _versions(passed, known):
        try:
            return standby.restore_older(
                passed.config, passed.asset.name, point, passed.vault.region, passed.environ, path
            )
        except DrError as error:
            return Older(f"{path} of {point} could not be restored: {error.what}")
    return Older(f"no older point in {passed.vault.region} has another version of a file of its data")


def _versions(passed: Passed, known: tuple[KnownPoint, ...]) -> Iterator[tuple[str, str]]:
    """Older points with a path that they have another version of, the newest first."""
    there = (CopyState.COMPLETE, CopyState.VERIFIED)
    region = passed.vault.region
    older = (one.point for one in known if one.point < passed.point and one.copy_in(region).state in there)
    for point in islice(older, _LOOKED_AT):
        try:
            manifest = passed.vault.manifest(passed.asset.name, point)
        except DrError:
            continue  # its damage is the verification's to tell
        if path := another_version(passed.asset.kind, passed.manifest, manifest):
            yield point, path
