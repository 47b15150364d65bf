"""Fills packs with frames and stores them, one being uploaded while the next is filled.

Memory: at most two packs (the one that is filled, the one that is uploaded), whatever the asset's size.
"""

from __future__ import annotations

import hashlib
import secrets
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dr_lib.codecs import registry
from dr_lib.crypto import sealing
from dr_lib.errors import AlreadyExists, IntegrityError
from dr_lib.format import layout, pack
from dr_lib.format.frame_seal import seal_frame
from dr_lib.model.manifest import PackRef, PackSeal
from dr_lib.vault.chunk_index import ChunkIndex, StoredPack
from dr_lib.vault.vault import Vault

PACK_BYTES: Final = 64 << 20
_NOTHING: Final = 16
_HEAL: Final = "`drctl heal --region` this region puts the right one in its place"


class PackWriter:
    """Stores chunks that the vault does not hold yet. A context manager; use from one thread.

    After `finish()` every chunk that was given to `store` is durable and `index` knows where it lies. Leaving the
    context without `finish()` waits for the upload in flight and keeps nothing else: packs that were stored stay and
    are reused by the next run.
    """

    def __init__(self, vault: Vault, index: ChunkIndex, pack_bytes: int = PACK_BYTES) -> None:
        """`pack_bytes` is the size at which a pack is closed."""
        self._vault = vault
        self._index = index
        self._pack_bytes = pack_bytes
        self._filling: _Filling | None = None
        self._chunks: set[bytes] = set()
        self._uploads = ThreadPoolExecutor(1)
        self._uploading: Future[StoredPack] | None = None
        self.stored: list[StoredPack] = []

    def store(self, digest: bytes, raw: bytes, dtype: str | None = None) -> None:
        """Make sure that the chunk `raw` of that digest will be in the vault; raises what the upload before raised.

        `dtype` is the safetensors name of its elements, None when it is no part of a tensor.
        """
        if digest in self._chunks or self._index.find(digest, len(raw)) is not None:
            return
        codec, encoded = registry.encode_smallest(raw, dtype)
        if self._filling is None:
            self._filling = _begin(self._vault)
        self._filling.add(digest, codec, len(raw), encoded)
        self._chunks.add(digest)
        if len(self._filling.buffer) >= self._pack_bytes:
            self._close_pack()

    def finish(self) -> None:
        """Store what is left and wait until all of it is durable."""
        self._close_pack()
        self._await_upload()

    @property
    def new_bytes(self) -> int:
        """Bytes of the packs that were stored."""
        return sum(item.ref.size for item in self.stored)

    @property
    def outlines(self) -> list[tuple[str, pack.Outline]]:
        """Name and outline of the packs that were stored: what `save_index` leaves word of."""
        return [(item.ref.sha256, item.outline) for item in self.stored]

    def _close_pack(self) -> None:
        self._await_upload()
        if self._filling is not None:
            filled, self._filling = self._filling, None
            self._uploading = self._uploads.submit(_upload, self._vault, filled, self._index.distrusted)

    def _await_upload(self) -> None:
        if self._uploading is None:
            return
        done, self._uploading = self._uploading.result(), None
        self.stored.append(done)
        self._index.add([done])
        self._chunks.difference_update(frame.digest for frame in done.frames)

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the upload thread."""
        self._uploads.shutdown(wait=True, cancel_futures=True)


@dataclass(slots=True)
class _Filling:
    """A pack that is being filled. `key` seals its frames, None in the clear."""

    seal: PackSeal | None
    key: AESGCM | None
    buffer: bytearray
    frames: list[pack.Frame] = field(default_factory=list)

    def add(self, digest: bytes, codec: int, raw: int, encoded: bytes) -> None:
        offset = len(self.buffer)
        stored = seal_frame(self.key, offset, codec, raw, encoded)
        seal = pack.NOT_SEALED if self.key is None else pack.SEALED
        self.frames.append(pack.Frame(digest, codec, seal, raw, offset, len(stored)))
        self.buffer += stored


def _begin(vault: Vault) -> _Filling:
    """An empty pack; in a sealed vault under a key of its own, whose run key is stored before it."""
    run_key = vault.run_key()
    if run_key is None:
        return _Filling(None, None, bytearray(pack.head(None)))
    seal = PackSeal(run_key.id, sealing.new_salt())
    key = sealing.cipher(sealing.derive(run_key.secret, seal.salt, sealing.PACK))
    return _Filling(seal, key, bytearray(pack.head(seal)))


def _upload(vault: Vault, filled: _Filling, distrusted: frozenset[str]) -> StoredPack:
    buffer = filled.buffer
    name = _stored(vault, filled, distrusted)
    outline = pack.outline(memoryview(buffer), vault.where(layout.pack_key(name)))
    return StoredPack(PackRef(name, len(buffer), filled.seal), outline, tuple(filled.frames))


def _stored(vault: Vault, filled: _Filling, distrusted: frozenset[str]) -> str:
    """Store the pack; its name. Where a damaged one has that name, which nobody here may replace, a frame that means
    nothing makes it another one."""
    end = len(filled.buffer)
    for _ in range(2):
        filled.buffer += pack.table(filled.frames, filled.seal, vault.keys.writer)
        name = hashlib.sha256(filled.buffer).hexdigest()
        try:
            if name not in distrusted:
                put_pack(vault, name, filled.buffer)
                return name
        except IntegrityError:
            pass
        del filled.buffer[end:]
        raw = secrets.token_bytes(_NOTHING)
        filled.add(blake3(raw).digest(), registry.RAW.id, len(raw), raw)
        end = len(filled.buffer)
    raise IntegrityError("a damaged pack is in the way", where=vault.where(layout.pack_key(name)), hint=_HEAL)


def put_pack(vault: Vault, name: str, data: bytes | bytearray) -> None:
    """Store a pack under the SHA-256 of its bytes, which the caller has computed. Safe to retry.

    A pack of that name and size that is there already is taken for this one; one of another size is damaged and
    raises `IntegrityError`.
    """
    key = layout.pack_key(name)
    try:
        vault.store.create(key, data)
    except AlreadyExists:
        refuse_other_size(vault, name, len(data))


def refuse_other_size(vault: Vault, name: str, size: int) -> None:
    """Raise `IntegrityError` when the stored pack of that name does not have `size` bytes."""
    key = layout.pack_key(name)
    found = vault.store.head(key).size
    if found != size:
        raise IntegrityError(
            f"a stored pack has {found} bytes where {size} are right",
            where=vault.where(key),
            hint=_HEAL,
        )
