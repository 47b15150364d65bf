"""Making a lost pack anew from the live source: the same bytes to the last, or none.

A pack is a function of its chunks, its table and its keys: the chunks are in the source if that still has them, the
table is in an index, and the keys are those that seal it. Whoever wrote it with another version of a codec wrote other
bytes; then the digest says no, and only a new backup makes a point that is whole.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dr_lib.codecs import registry
from dr_lib.codecs.layouts import LAYOUTS
from dr_lib.crypto import sealing
from dr_lib.errors import DrError, IntegrityError, NotFound
from dr_lib.format import layout, pack
from dr_lib.format.frame_seal import seal_frame
from dr_lib.model.manifest import Manifest
from dr_lib.sources.base import Source, SourceFile
from dr_lib.vault.chunk_index import indexed_outlines
from dr_lib.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a chunk lies in the source: a file, an offset in it, and the dtype of what stands there."""

    path: str
    offset: int
    dtype: str | None


@dataclass(slots=True)
class Remaker:
    """Makes packs that `points` need. `open_source` opens the asset's live source when a pack has to be made."""

    vaults: Sequence[Vault]
    asset: str
    points: Sequence[str]
    open_source: Callable[[], Source]
    _outlines: dict[str, pack.Outline] | None = None
    _places: dict[bytes, _Place] | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _files: dict[str, SourceFile] = field(default_factory=dict)
    _source: Source | None = None

    def __call__(self, key: str) -> bytes | None:
        """The bytes of a pack, not proven yet; None for other objects, and when something that it takes is missing:
        the chunks in the source, an index, an identity and the writer key where it is sealed."""
        if not key.startswith(layout.PACKS):
            return None
        try:
            outline = self._known_outlines().get(key.rpartition("/")[2])
            return None if outline is None else self._made(outline, key)
        except DrError:
            return None

    def _made(self, outline: pack.Outline, key: str) -> bytes | None:
        vault = self.vaults[0]
        cipher = vault.pack_key(outline.seal)
        made = bytearray(pack.head(outline.seal))
        for frame in pack.frames(outline, vault.where(key), vault.keys.writer):
            stored = self._stored(frame, cipher)
            if stored is None:
                return None
            made += stored
        return bytes(made + outline.rows + outline.footer)

    def _stored(self, frame: pack.Frame, cipher: AESGCM | None) -> bytes | None:
        place = self._known_places().get(frame.digest)
        file = self._files.get(place.path) if place is not None else None
        if place is None or file is None or self._source is None or place.offset + frame.raw > file.size:
            return None
        raw = self._source.read(file, place.offset, frame.raw)
        if blake3(raw).digest() != frame.digest:
            return None
        length = frame.length - (sealing.TAG_BYTES if cipher is not None else 0)
        encoded = next((e for e in _encodings(raw, frame.codec, place.dtype) if len(e) == length), None)
        return None if encoded is None else seal_frame(cipher, frame.offset, frame.codec, frame.raw, encoded)

    def _known_outlines(self) -> dict[str, pack.Outline]:
        with self._lock:
            if self._outlines is None:
                self._outlines = {}
                for vault in reversed(self.vaults):
                    self._outlines |= indexed_outlines(vault)
            return self._outlines

    def _known_places(self) -> dict[bytes, _Place]:
        """Where the source had each chunk of the points; the newest point's word comes first."""
        with self._lock:
            if self._places is None:
                self._source = self.open_source()
                self._files = {file.path: file for file in self._source.listing().files}
                self._places = {}
                for manifest in self._manifests():
                    for digest, place in _places_of(manifest):
                        self._places.setdefault(digest, place)
            return self._places

    def _manifests(self) -> Iterator[Manifest]:
        for point in sorted(self.points, reverse=True):
            for vault in self.vaults:
                try:
                    yield vault.manifest(self.asset, point)
                except (IntegrityError, NotFound):
                    continue
                break


def _places_of(manifest: Manifest) -> Iterator[tuple[bytes, _Place]]:
    tensors = {(tensor.file, tensor.offset): tensor.dtype for tensor in manifest.tensors}
    for file in manifest.files:
        offset, dtype = 0, None
        for frame in file.frames:
            dtype = tensors.get((file.path, offset), dtype)  # a long tensor is many frames
            yield frame.digest, _Place(file.path, offset, dtype)
            offset += frame.raw


def _encodings(raw: bytes, codec: int, dtype: str | None) -> Iterator[bytes]:
    """What the codec of that id makes of the bytes, with the dtype that is likely first."""
    if codec == registry.RAW.id:
        yield raw
        return
    for likely in dict.fromkeys([dtype, None, *LAYOUTS]):
        for candidate in registry.candidates(likely):
            encoded = candidate.encode(raw) if candidate.id == codec else None
            if encoded is not None:
                yield encoded
