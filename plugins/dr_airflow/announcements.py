"""What backups and copies announce to other people's DAGs, as events of Airflow's assets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset as AirflowAsset
from airflow.sdk import AssetAlias

if TYPE_CHECKING:
    from airflow.sdk import Context


def points_of(asset: str) -> AirflowAsset:
    """The Airflow asset whose events announce the recovery points of `asset`."""
    return AirflowAsset(name=f"dr_points__{asset}", uri=f"dr://points/{asset}", group="dr")


COPIES = AssetAlias(name="dr_copies", group="dr")
"""Stands for all `copy_of`: what is copied where is known when it is done."""


def copy_of(asset: str, region: str) -> AirflowAsset:
    """The Airflow asset whose events announce that a point of `asset` lies in `region`."""
    return AirflowAsset(name=f"dr_copies__{asset}__{region}", uri=f"dr://copies/{asset}/{region}", group="dr")


def announce(context: Context, asset: str, copies: Iterable[Mapping[str, Any]]) -> None:
    """An event for each of `copies` (`point`, `region`, `new_bytes`). They are news for other people's DAGs: nothing
    here believes one, so that a forged event protects nothing and deletes nothing."""
    for one in copies:
        extra = {"point": one["point"], "region": one["region"], "new_bytes": one["new_bytes"]}
        context["outlet_events"][COPIES].add(copy_of(asset, one["region"]), extra=extra)
