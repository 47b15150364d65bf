"""What the worlds of several runbooks are made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from tests.runbooks.runbook_world import RunbookWorld

TABLES = {
    "kind": "dataset",
    "objectives": {"rpo": "1h", "rto": "15m"},
    "regions": ["us-east", "eu-west", "ap-south"],
}


def tables(directory: Path) -> None:
    """A small dataset."""
    numbers = np.arange(500)
    pq.write_table(pa.table({"id": numbers, "stars": numbers % 5 + 1}), directory / "reviews.parquet")


def backup(world: RunbookWorld, asset: str) -> None:
    """A point of the asset that is whole and verified in every region."""
    world.runtime.backup(asset)
    world.runtime.verify(asset, unverified=True)


def bucket_of(world: RunbookWorld, region: str) -> tuple[Any, str]:
    """An S3 client with all rights in a region, and its bucket."""
    server = world.regions[region]
    keys: dict[str, Any] = {"aws_access_key_id": server.access_key, "aws_secret_access_key": server.secret_key}
    return boto3.client("s3", endpoint_url=server.endpoint, region_name="us-east-1", **keys), f"dr-{region}"


def merged(there: dict[str, Any], added: dict[str, Any]) -> dict[str, Any]:
    """`there` with what is added; mappings in both are merged, anything else is replaced."""
    both = {name: merged(there[name], new) for name, new in added.items() if _nested(there.get(name), new)}
    return there | added | both


def _nested(*found: Any) -> bool:
    return all(isinstance(one, dict) for one in found)
