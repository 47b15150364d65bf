"""The walk of samples: the next objects that the points need, read and compared with what their names promise.

Needs no reading key: a pack is named by its SHA-256, a wrapped run key by a digest, and a manifest is signed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from dr_lib.errors import IntegrityError, NotFound
from dr_lib.format import layout
from dr_lib.policy.scrub_plan import Item
from dr_lib.progress import Progress
from dr_lib.storage.base import ObjectInfo
from dr_lib.vault.object_check import check_object
from dr_lib.vault.vault import Vault
from dr_lib.workflows.verify.packs import STREAMS
from dr_lib.workflows.verify.stock import Copy, Stock


def users_of(asset: str, copies: Sequence[Copy], stock: Stock) -> dict[str, list[Copy]]:
    """Every object that the points need and that is listed, by key, with the points that need it."""
    users: defaultdict[str, list[Copy]] = defaultdict(list)
    for copy in copies:
        needed = [layout.manifest_key(asset, copy.point)]
        needed += [layout.pack_key(ref.sha256) for ref in copy.packs]
        needed += [stock.newest[key].key for key in copy.keys if key in stock.newest]
        for key in needed:
            users[key].append(copy)
    return dict(users)


def items_of(users: Mapping[str, Sequence[Copy]], stock: Stock) -> list[Item]:
    """The listed ones of those objects, sorted by key."""
    listed = {info.key: info for info in stock.manifests.values()} | stock.packs | stock.run_keys
    found = (listed[key] for key in users if key in listed)
    return sorted((item_of(info) for info in found), key=lambda item: item.key)


def read_items(
    vault: Vault, items: Sequence[Item], users: Mapping[str, Sequence[Copy]], progress: Progress
) -> dict[str, bool]:
    """Read the objects; one that is not what its name promises is a finding of each point that needs it.

    Gives whether each is whole, by its key.
    """
    progress.start(sum(item.size for item in items), f"verify {vault.region}")

    def read(item: Item) -> str | None:
        finding = _damage(vault, item)
        progress.advance(item.size)
        return finding

    whole: dict[str, bool] = {}
    with ThreadPoolExecutor(STREAMS) as pool:
        for item, finding in zip(items, pool.map(read, items), strict=True):
            whole[item.key] = finding is None
            for copy in users.get(item.key, ()):
                copy.bytes_read += item.size
                copy.findings += [finding] if finding is not None and finding not in copy.findings else []
    progress.finish()
    return whole


def _damage(vault: Vault, item: Item) -> str | None:
    """Never more than was listed is asked for, whatever the stored object has grown to."""
    try:
        check_object(vault, item.key, vault.store.get_range(item.key, 0, item.size))
    except (IntegrityError, NotFound) as error:
        if item.key.startswith(layout.PACKS):
            return f"pack {item.key.rpartition('/')[2]}: {error.what}"
        return str(error)
    return None


def item_of(info: ObjectInfo) -> Item:
    """A listed object."""
    return Item(info.key, info.size, info.modified_at)
