"""What the copies of a point show to somebody who has the buckets and the public keys, and no secret key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dr_lib.errors import IntegrityError
from dr_lib.format import layout, manifest
from dr_lib.format.access import Access
from dr_lib.storage.base import ObjectStore


@dataclass(frozen=True, slots=True)
class Seen:
    """`sealed`: every copy's file list and content are shut. `signed`: a trusted key signed every copy."""

    sealed: bool
    signed: bool


def look_at(stores: Mapping[str, ObjectStore], asset: str, point: str, trusted: Sequence[str]) -> Seen:
    """Read the manifest of a point in every region; no other claim is believed. Raises as the stores do."""
    data = {region: store.get(layout.manifest_key(asset, point)) for region, store in stores.items()}
    sealed = all(_passes(found, region, Access(sealed=True)) for region, found in data.items())
    by_them = Access(tuple(trusted), sealed=sealed)
    return Seen(sealed, bool(trusted) and all(_passes(found, region, by_them) for region, found in data.items()))


def _passes(data: bytes, region: str, demanded: Access) -> bool:
    try:
        manifest.load_clear(data, f"region {region}", demanded)
    except IntegrityError:
        return False
    return True
