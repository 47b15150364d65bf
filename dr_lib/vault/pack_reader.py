"""Gets frames back out of packs and believes none of them before its digest holds."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from blake3 import blake3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dr_lib.codecs import registry
from dr_lib.codecs.codec import Codec
from dr_lib.errors import IntegrityError
from dr_lib.format import layout, pack
from dr_lib.format.frame_seal import FrameFacts, unseal_frame
from dr_lib.model.manifest import FrameRef, PackRef
from dr_lib.vault.vault import Vault


def fetch_pack(vault: Vault, ref: PackRef) -> bytes:
    """All bytes of a pack, proven to be the ones that its name promises. `NotFound` when it is not there.

    Never more than `ref.size` bytes are asked for, whatever the stored object has grown to.
    """
    key = layout.pack_key(ref.sha256)
    data = vault.store.get_range(key, 0, ref.size)
    if hashlib.sha256(data).hexdigest() != ref.sha256:
        raise IntegrityError("a pack's bytes are not those its name promises", where=vault.where(key))
    return data


def open_frame(stored: bytes | memoryview, frame: FrameFacts, key: AESGCM | None = None) -> bytes:
    """Raw bytes of a frame from its stored ones; `IntegrityError` unless they have its digest and length.

    `key` is the key of its pack, None in the clear.
    """
    data = codec_of(frame.codec, frame.seal).decode(unseal_frame(key, frame, stored), frame.raw)
    if blake3(data).digest() != frame.digest:
        raise IntegrityError("a frame's bytes do not have the digest that the manifest states")
    return data


def codec_of(codec: int, seal: int) -> Codec:
    """What decodes frames of this codec and seal; `IntegrityError` when this version does not know one of them."""
    if seal not in (pack.NOT_SEALED, pack.SEALED):
        hint = "restore with a newer version of this program"
        raise IntegrityError(f"a frame is sealed in a way ({seal}) that this version does not know", hint=hint)
    return registry.by_id(codec)


def fetch_range(vault: Vault, ref: PackRef, start: int, length: int) -> bytes:
    """The `length` stored bytes of a pack from `start`: waits for the network, uses no core, proves nothing."""
    return vault.store.get_range(layout.pack_key(ref.sha256), start, length)


def open_frames(vault: Vault, ref: PackRef, start: int, data: bytes, frames: Iterable[FrameRef]) -> Iterator[bytes]:
    """Raw bytes of `frames`, in order, each proven, out of `data`, which is the pack's bytes from `start`.

    Raises `IntegrityError` naming the pack at the first that is damaged, and what `Vault.pack_key` raises.
    """
    where = vault.where(layout.pack_key(ref.sha256))
    key = vault.pack_key(ref.seal)
    view = memoryview(data)
    for frame in frames:
        at = frame.offset - start
        try:
            yield open_frame(view[at : at + frame.length], frame, key)
        except IntegrityError as error:
            raise IntegrityError(error.what, where=where, hint=error.hint) from error
