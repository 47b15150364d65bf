"""What lies in a recovery point: files and tensors, as its manifest states them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from dr_lib.format.canonical import time_text
from dr_lib.policy.choice import LATEST
from dr_lib.use_cases.over_config import Document
from dr_lib.use_cases.recovering import Recovering

if TYPE_CHECKING:
    from dr_lib.model.manifest import FileEntry, Manifest, TensorEntry

MOST = 1000


class Showing(Recovering):
    """The contents of points."""

    def contents(
        self,
        asset: str,
        point: str = LATEST,
        *,
        region: str | None = None,
        search: str = "",
        offset: int = 0,
        limit: int = MOST,
    ) -> Document:
        """A page of the files and of the tensors whose names hold `search`; the first region that can tell is asked.

        `{"asset", "point", "region", "created_at", "files": […], "file_count", "tensors": […], "tensor_count", "next",
        "environment", "source"}`: counts are of all that match, `next` is the `offset` of the next page or None. Names
        are sealed: raises `PermissionDenied` (7) on a machine that holds no identity; else as a restore.
        """
        from dr_lib.workflows.restore.restore import first_manifest

        vaults, chosen, _ = self._chosen(asset, point, None, region)
        found = first_manifest(vaults, asset, chosen)
        return {"asset": asset, "point": chosen, "region": found.region, **_page(found.manifest, search, offset, limit)}


def _page(manifest: Manifest, search: str, offset: int, limit: int) -> Document:
    files = [one for one in manifest.files if search in one.path]
    tensors = [one for one in manifest.tensors if search in one.name]
    more = max(len(files), len(tensors)) > offset + limit
    return {
        "created_at": time_text(manifest.summary.created_at),
        "files": [_file(one) for one in islice(files, offset, offset + limit)],
        "file_count": len(files),
        "tensors": [_tensor(one) for one in islice(tensors, offset, offset + limit)],
        "tensor_count": len(tensors),
        "next": offset + limit if more else None,
        "environment": dict(manifest.environment),
        "source": dict(manifest.source),
    }


def _file(one: FileEntry) -> Document:
    return {"path": _shown(one.path), "bytes": one.size, "mode": f"{one.mode:o}", "sha256": one.sha256.hex()}


def _tensor(one: TensorEntry) -> Document:
    stats = one.stats
    numbers = (None,) * 5 if stats is None else (stats.minimum, stats.maximum, stats.mean, stats.nan, stats.inf)
    facts: Sequence[object] = (_shown(one.file), _shown(one.name), one.dtype, list(one.shape), one.length, *numbers)
    names = ("file", "name", "dtype", "shape", "bytes", "min", "max", "mean", "nan", "inf")
    return dict(zip(names, facts, strict=True))


def _shown(name: str) -> str:
    """As text that every program can read; of bytes that are not UTF-8 their escapes."""
    return name.encode("utf-8", "backslashreplace").decode()
