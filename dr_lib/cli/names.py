"""What a name on the command line means: an asset, or one of its recovery points."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dr_lib.errors import NotFound

if TYPE_CHECKING:
    from dr_lib.runtime import Runtime

POINT = re.compile(r"\d{8}T\d+Z-[0-9a-f]+")


def asset_and_point(runtime: Runtime, name: str) -> tuple[str, str | None]:
    """The asset called `name`, or the point of that id and its asset. `NotFound` names the assets there are."""
    if name in runtime.config.assets or not POINT.fullmatch(name):
        return runtime.config.asset(name).name, None
    for point in runtime.points():
        if point["point"] == name:
            return str(point["asset"]), name
    raise NotFound(f"no region that answers holds a point {name!r}", hint="`drctl points` lists what there is")
