"""Today's writer at work on the golden sealed vault: every byte but those of the age files is the same in every run."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from dr_lib.crypto import sealing
from dr_lib.storage.local import LocalStore
from dr_lib.vault.chunk_index import ChunkIndex, load_index
from dr_lib.vault.opening import create_vault, open_vault
from dr_lib.workflows.keys.rotate import rotate
from tests.golden.keys import keyset, secret
from tests.golden.writing import FACTS, FROZEN_AT, POINT, write_point

LATER = "20261124T180109000001Z-c0ffee01"
CHANGED = b"the lazy dog " * 30


@contextmanager
def no_chance() -> Iterator[None]:
    """Run keys and salts, which are random, are then always the same ones. What age draws stays random."""
    count = itertools.count()

    def drawn(size: int) -> bytes:
        return hashlib.sha256(b"golden %d" % next(count)).digest()[:size]

    with (
        patch.object(sealing, "new_key", lambda: drawn(sealing.KEY_BYTES)),
        patch.object(sealing, "new_salt", lambda: drawn(sealing.SALT_BYTES)),
    ):
        yield


def write_sealed_vault(root: Path, tree: Path) -> None:
    """Two backups by two workers, the second of which shares packs with the first; the first one's key is rotated."""
    root.mkdir()
    store = LocalStore(root, "region one")
    with no_chance():
        before = keyset(second="revoked")
        write_point(create_vault("one", store, FACTS, before, check=False), tree, POINT, FROZEN_AT, ChunkIndex())
        rotate(store, keyset().recipients, (secret("revoked").text,), 1)
        (tree / "sub" / "text").write_bytes(CHANGED)
        os.utime(tree / "sub" / "text", (1, 1))
        later = open_vault("one", store, keyset(None))
        write_point(later, tree, LATER, FROZEN_AT + timedelta(days=1), load_index(later))
