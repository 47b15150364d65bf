"""The buttons of a task that lead to the page Disaster Recovery: to the point it made or read, and to its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

_ASSETS = "/dr/view/assets"


def asset_page(asset: str) -> str:
    """Where the page tells of that asset, below Airflow's own address."""
    return f"{_ASSETS}/{quote(asset, safe='')}"


def point_page(asset: str, point: str | None) -> str:
    """Where the page tells of that point; the asset's page when there is none, nothing without an asset."""
    return "" if not asset else asset_page(asset) + (f"/points/{quote(point, safe='')}" if point else "")


def drill_page(asset: str, drill: str | None) -> str:
    """Where the page tells of that drill; nothing without one."""
    return f"{asset_page(asset)}/drills/{quote(drill, safe='')}" if asset and drill else ""


class _PageLink(BaseOperatorLink):
    """A page that the task itself named when it ended (`RecoveryOperator.pages`)."""

    NAME: ClassVar[str]

    @property
    def name(self) -> str:
        """What stands on the button."""
        return self.NAME

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002 - the task knows
        """Empty, and the button dead, for a task that failed before there was anything to show."""
        return str(getattr(operator, "pages", {}).get(self.NAME, ""))


class PointLink(_PageLink):
    """To the recovery point."""

    NAME = "Recovery point"


class EvidenceLink(_PageLink):
    """To what a drill measured."""

    NAME = "Evidence"
