"""How fast packs go into and out of a region: obstore, boto3 and rclone against one SeaweedFS on this machine.

Run `python benchmarks/stores.py`; it takes under a minute on an idle machine, needs 4 GiB below TMPDIR for a moment
(/dev/shm there leaves the disk out of it), and prints rates and their ratios to obstore's. Each client stores `PACKS`
objects of 64 MiB with create-if-absent (rclone: plainly) and reads them back, `THREADS` at a time (rclone: its own
transfers). They take turns, `ROUNDS` times; the best round of each counts.
"""

from __future__ import annotations

import itertools
import os
import secrets
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import obstore
from botocore.config import Config
from rich.console import Console
from rich.table import Table

from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.storage.credentials import Credentials
from dr_lib.storage.rclone_command import rclone_binary
from dr_lib.storage.s3 import S3Store
from dr_lib.storage.s3_clients import Bucket, object_store
from dr_lib.storage.s3_session import open_session

PACK_BYTES = 64 << 20
PACKS = 8
THREADS = 4
ROUNDS = 2


@dataclass(frozen=True)
class Timing:
    """Seconds on the wall and of this process's (and its children's) processors."""

    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """MB/s of `PACKS` packs."""
        return PACKS * PACK_BYTES / self.wall / 1e6


def timed(action: Callable[[], None]) -> Timing:
    """Run `action` once."""
    before = os.times()
    start = time.perf_counter()
    action()
    wall = time.perf_counter() - start
    after = os.times()
    return Timing(wall, sum(after[:4]) - sum(before[:4]))


def in_threads(action: Callable[[int], object]) -> None:
    """`action` of every pack's number, `THREADS` at a time."""
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(action, range(PACKS)):
            pass


def measure_obstore(region: SeaweedRegion, bucket: Bucket, pack: bytes) -> tuple[Timing, Timing]:
    """Put and get through obstore, as `S3Store` does."""
    store = object_store(bucket, region.endpoint)
    return (
        timed(lambda: in_threads(lambda n: obstore.put(store, f"o/{n}", pack, mode="create", use_multipart=False))),
        timed(lambda: in_threads(lambda n: bytes(obstore.get(store, f"o/{n}").bytes()))),
    )


def measure_boto3(region: SeaweedRegion, bucket: Bucket, pack: bytes) -> tuple[Timing, Timing]:
    """Put and get through boto3's plain requests."""
    session = open_session(bucket, region.endpoint)
    client = session.client("s3", endpoint_url=region.endpoint, config=Config(max_pool_connections=THREADS))
    return (
        timed(
            lambda: in_threads(
                lambda n: client.put_object(Bucket=bucket.name, Key=f"b/{n}", Body=pack, IfNoneMatch="*")
            )
        ),
        timed(lambda: in_threads(lambda n: client.get_object(Bucket=bucket.name, Key=f"b/{n}")["Body"].read())),
    )


def measure_rclone(region: SeaweedRegion, bucket: Bucket, pack: bytes) -> tuple[Timing, Timing]:
    """Copy a directory of packs there and back with rclone."""
    with tempfile.TemporaryDirectory(prefix="dr-benchmark-") as directory:
        source = Path(directory) / "source"
        source.mkdir()
        for number in range(PACKS):
            (source / str(number)).write_bytes(pack)
        remote = f"bench:{bucket.name}/r"
        return (
            timed(lambda: rclone(region, "copy", str(source), remote)),
            timed(lambda: rclone(region, "copy", remote, str(Path(directory) / "back"))),
        )


def rclone(region: SeaweedRegion, *arguments: str) -> None:
    """One run of rclone; the credentials go through its environment."""
    remote = {
        "TYPE": "s3",
        "PROVIDER": "SeaweedFS",
        "ENDPOINT": region.endpoint,
        "ACCESS_KEY_ID": region.access_key,
        "SECRET_ACCESS_KEY": region.secret_key,
    }
    environment = os.environ | {f"RCLONE_CONFIG_BENCH_{name}": value for name, value in remote.items()}
    command = [rclone_binary(), *arguments, f"--transfers={THREADS}", "--s3-no-check-bucket"]
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=120)


PEERS = {"obstore": measure_obstore, "boto3": measure_boto3, "rclone": measure_rclone}


def measured() -> dict[str, tuple[Timing, Timing]]:
    """Every peer's best put and best get."""
    found: dict[str, list[tuple[Timing, Timing]]] = {name: [] for name in PEERS}
    pack = secrets.token_bytes(PACK_BYTES)
    with tempfile.TemporaryDirectory(prefix="dr-benchmark-") as directory:
        region = SeaweedRegion(Path(directory), "benchmark", secrets.token_hex(16))
        region.start()
        try:
            for turn, name in itertools.product(range(ROUNDS), PEERS):
                bucket = Bucket(f"{name}-{turn}", region.endpoint, Credentials(region.access_key, region.secret_key))
                store = S3Store(bucket, name)
                store.ensure_container(lock_mode=None, lock_days=None)
                store.create("warm", b"up")
                found[name].append(PEERS[name](region, bucket, pack))
        finally:
            region.stop()
    return {name: (best(put for put, _ in rounds), best(get for _, get in rounds)) for name, rounds in found.items()}


def best(timings: Iterable[Timing]) -> Timing:
    """The one that took the least time."""
    return min(timings, key=lambda timing: timing.wall)


def main() -> None:
    """Measure and print."""
    found = measured()
    base_put, base_get = found["obstore"]
    table = Table("client", "put MB/s", "CPU s", "ratio", "get MB/s", "CPU s", "ratio", title=f"{PACKS} x 64 MiB")
    for name, (put, get) in found.items():
        ratios = put.rate / base_put.rate, get.rate / base_get.rate
        table.add_row(
            name, f"{put.rate:.0f}", f"{put.cpu:.1f}", f"{ratios[0]:.2f}",
            f"{get.rate:.0f}", f"{get.cpu:.1f}", f"{ratios[1]:.2f}",
        )  # fmt: skip
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
