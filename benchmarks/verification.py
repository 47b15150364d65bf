"""What it costs to look at the structure of ten thousand points: one pass of listing against a request an object.

Run `python -m benchmarks.verification [POINTS]`; it makes a signed vault of that many small points in a SeaweedFS on
this machine, and looks at it three times: for the first time on this machine, again, and, for comparison, by asking for
each object that a manifest names, as one does without a listing. Requests are counted at the store; a listing counts
one for each 1,000 keys.
"""

from __future__ import annotations

import secrets
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.many_points import fill
from dr_lib.clock import monotonic, utc_now
from dr_lib.crypto import signing
from dr_lib.crypto.keyset import Keyset
from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.format import layout
from dr_lib.progress import SILENT
from dr_lib.storage.counting import CountingStore
from dr_lib.storage.credentials import Credentials
from dr_lib.storage.s3 import S3Store
from dr_lib.storage.s3_clients import Bucket
from dr_lib.vault.opening import create_vault
from dr_lib.vault.summary_cache import cache_of
from dr_lib.vault.vault import Vault
from dr_lib.workflows.verify.verify import Asked, Mode, verify

ASSET = "many"
POINTS = 10_000
PAGE = 1_000
THREADS = 8


@dataclass(frozen=True)
class Cost:
    """Requests and seconds of one look."""

    listings: int
    reads: int
    seconds: float


def measured(points: int) -> dict[str, Cost]:
    """The cost of each way to look at the same vault."""
    with tempfile.TemporaryDirectory(prefix="dr-benchmark-") as directory:
        region = SeaweedRegion(Path(directory) / "region", "benchmark", secrets.token_hex(16))
        region.start()
        try:
            bucket = Bucket("many", region.endpoint, Credentials(region.access_key, region.secret_key))
            store = S3Store(bucket, "region many")
            store.ensure_container(lock_mode=None, lock_days=None)
            signer = signing.signer(signing.new_signing_key())
            keys = Keyset(signer=signer, trusted=(signer.public,))
            fill(create_vault("many", store, {}, keys), ASSET, points)
            return _looks(store, keys, Path(directory) / "cache")
        finally:
            region.stop()


def _looks(store: S3Store, keys: Keyset, cache: Path) -> dict[str, Cost]:
    def look(vault: Vault) -> None:
        done = verify(vault, ASSET, Asked(Mode.STRUCTURE), SILENT, utc_now, cache_of(cache, "many"))
        assert done.ok, done.scrub.findings

    ways: dict[str, Callable[[Vault], None]] = {
        "a request an object": _one_by_one,
        "structure, first time here": look,
        "structure, every time after": look,
    }
    return {name: _cost(store, keys, way) for name, way in ways.items()}


def _one_by_one(vault: Vault) -> None:
    names = vault.points(ASSET)
    with ThreadPoolExecutor(THREADS) as pool:
        summaries = list(pool.map(lambda name: vault.summary(ASSET, name.point), names))
        packs = {ref.sha256: ref.size for summary in summaries for ref in summary.packs}
        sizes = pool.map(lambda name: vault.store.head(layout.pack_key(name)).size, packs)
        assert list(sizes) == list(packs.values())


def _cost(store: S3Store, keys: Keyset, way: Callable[[Vault], None]) -> Cost:
    counting = PagesCounted(store)
    started = monotonic()
    way(Vault("many", counting, keys, keys.trusted))
    seconds = monotonic() - started
    calls = counting.calls
    return Cost(counting.pages, calls["get"] + calls["get_range"] + calls["head"], seconds)


class PagesCounted(CountingStore):
    """Counts the requests of listings too."""

    pages = 0

    def list(self, prefix: str = ""):  # noqa: ANN201 - as `CountingStore.list`
        """See `ObjectStore.list`."""
        listed = 0
        for info in super().list(prefix):
            listed += 1
            yield info
        self.pages += -(-max(listed, 1) // PAGE)


def main() -> None:
    """Measure and print."""
    points = int(sys.argv[1]) if len(sys.argv) > 1 else POINTS
    found = measured(points)
    base = found["a request an object"]
    table = Table("way", "listings", "reads", "seconds", "ratio", title=f"structure of {points:,} points")
    for name, cost in found.items():
        row = (f"{cost.listings:,}", f"{cost.reads:,}", f"{cost.seconds:.1f}", f"{cost.seconds / base.seconds:.2f}")
        table.add_row(name, *row)
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
