"""The input of the golden vault, and today's writer at work on it: the same bytes in every run and on every machine."""

from __future__ import annotations

import json
import os
import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from dr_lib.model.copy import Verification
from dr_lib.policy.shard_plan import Piece
from dr_lib.progress import SILENT
from dr_lib.sources.base import SourceFile, SourceListing
from dr_lib.sources.directory import DirectorySource
from dr_lib.storage.local import LocalStore
from dr_lib.vault.chunk_index import ChunkIndex
from dr_lib.vault.opening import create_vault
from dr_lib.vault.vault import Vault
from dr_lib.vault.verifications import record_verification
from dr_lib.workflows.backup.commit import commit_backup
from dr_lib.workflows.backup.records import PROOF, BackupPlan, save_plan
from dr_lib.workflows.backup.shard import store_attachments, store_shard

ASSET, POINT = "golden", "20261123T180109000001Z-c0ffee00"
FROZEN_AT = datetime(2026, 11, 23, 18, 1, 9, 1, UTC)
SECOND = 1_000_000_000
FACTS = {"vault": "00" * 16, "created_at": "2026-11-23T18:00:00.000000Z"}
SAFETENSORS_HEADER = b'{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}       '


def make_source(root: Path) -> None:
    """A small model: a tensor, text that compresses, an empty file, an odd name, a link, an empty directory."""
    (root / "sub").mkdir(parents=True)
    (root / "void").mkdir()
    values = struct.pack("<6f", 0.5, -1.0, 2.0, 0.0, 3.5, 1.0)
    header = struct.pack("<Q", len(SAFETENSORS_HEADER)) + SAFETENSORS_HEADER
    (root / "model.safetensors").write_bytes(header + values)
    (root / "typed.safetensors").write_bytes(typed_model())
    (root / "sub" / "text").write_bytes(b"the quick brown fox " * 20)
    (root / "sub" / "none").touch()
    Path(os.fsdecode(os.fsencode(root) + b"/odd \xff\n-name")).write_bytes(b"odd")
    (root / "link").symlink_to("sub/text")
    (root / "sub" / "text").chmod(0o640)
    for number, path in enumerate(sorted([*root.rglob("*"), root], key=os.fsencode, reverse=True)):
        if not path.is_symlink() and path != root / "sub" / "text":
            path.chmod(0o750 if path.is_dir() else 0o644)
        os.utime(path, ns=(SECOND * number, SECOND * number + 7), follow_symlinks=False)


def typed_model() -> bytes:
    """A tensor for each codec that depends on the dtype; numbers from a generator that is written out here."""
    state, noise = 1, bytearray()
    for _ in range(4001):
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        noise.append(state >> 16 & 0xFF)
    tensors = {
        "constant": ("F32", struct.pack("<f", 1.5) * 500),
        "palette": ("I32", b"".join(struct.pack("<i", 1000 << (byte & 15)) for byte in noise[:1500])),
        "planes": ("F16", b"".join(bytes((low, 0x30 + (high & 3))) for low, high in pairwise(noise))),
        "raw": ("U8", bytes(noise[:1000])),
    }
    header, body = {}, b""
    for name, (dtype, raw) in tensors.items():
        width = {"F32": 4, "I32": 4, "F16": 2, "U8": 1}[dtype]
        offsets = [len(body), len(body) + len(raw)]
        header[name] = {"dtype": dtype, "shape": [len(raw) // width], "data_offsets": offsets}
        body += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


@dataclass(frozen=True)
class NamedSource:
    """The tree under a name that is the same wherever it lies."""

    tree: DirectorySource
    url: str = "file:///golden"

    def listing(self) -> SourceListing:
        return self.tree.listing()

    def read(self, file: SourceFile, offset: int, length: int) -> bytes:
        return self.tree.read(file, offset, length)


def write_vault(root: Path, tree: Path) -> Vault:
    """Back up `tree` into a new vault at `root`, with fixed ids and times; leave word of a verification."""
    root.mkdir()
    vault = create_vault("one", LocalStore(root, "region one"), FACTS, check=False)
    write_point(vault, tree, POINT, FROZEN_AT, ChunkIndex())
    return vault


def write_point(vault: Vault, tree: Path, point: str, frozen_at: datetime, known: ChunkIndex) -> None:
    """One backup of `tree` as this point, and word of its verification."""
    source = NamedSource(DirectorySource(tree))
    listing = source.listing()
    pieces = tuple(Piece(number, 0, file.size) for number, file in enumerate(listing.files))
    plan = BackupPlan(ASSET, "model", point, frozen_at, source.url, listing, (pieces,))
    save_plan(vault, plan)
    store_shard(vault, source, plan, 0, known, SILENT)
    store_attachments(vault, plan, PROOF, {"golden.json": b'{"outputs":[1.0]}'}, known, "")
    commit_backup(vault, source, plan, {"python": "3.11.7"})
    done = frozen_at + timedelta(seconds=30)
    record_verification(vault, Verification("one", ASSET, point, "ab" * 32, "full", done, 1.5, 1234, ()))
