"""Manifests of the golden sealed vault made anew by somebody who holds all its keys, and says what cannot be."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard

from dr_lib.crypto import sealing, signing
from dr_lib.crypto.signing import Signer
from dr_lib.format import canonical, manifest
from dr_lib.storage.local import LocalStore
from dr_lib.vault.opening import open_vault
from dr_lib.vault.vault import Vault
from tests.golden.keys import keyset
from tests.golden.test_golden_sealed import SEALED
from tests.golden.writing import ASSET
from tests.golden.writing_sealed import LATER
from tests.keys import fresh_keys

Json = dict[str, Any]
Edit = Callable[[Json, Json], Any]
SIGNER = keyset().signer
NAME = f"points/{ASSET}/{LATER}.manifest"


def vault_at(folder: Path) -> Vault:
    """The vault in `folder`, with all keys."""
    return open_vault("one", LocalStore(folder, "region one"), keyset())


def apart() -> tuple[Json, Json]:
    """Summary and opened body of the later point."""
    data = (SEALED / NAME).read_bytes()
    end = 44 + int.from_bytes(data[8:12], "little")
    summary = canonical.loads(base64.b64decode(canonical.loads(data[44:end], "here")["payload"]), "here")
    stored = sealing.unseal(_key(summary), 0, data[end:], _bound(summary))
    return summary, canonical.loads(zstandard.ZstdDecompressor().decompress(stored), "here")


def forged(edit: Edit, by: Signer | None = SIGNER, *, sealed: bool = True) -> bytes:
    """The later point's manifest with `edit` done to summary and body, sealed and signed as it must be."""
    summary, body = apart()
    key = _key(summary)
    bound = edit(summary, body) or summary
    raw = canonical.dumps(body)
    summary["body"] |= {"codec": 0, "raw": len(raw), "seal": int(sealed)}
    stored = sealing.seal(key, 0, raw, _bound(bound)) if sealed else raw
    summary["body"]["sha256"] = hashlib.sha256(stored).hexdigest()
    envelope = canonical.dumps(signing.envelope(manifest.PAYLOAD_TYPE, canonical.dumps(summary), by))
    return manifest.HEAD + struct.pack("<I32s", len(envelope), hashlib.sha256(envelope).digest()) + envelope + stored


def _key(summary: Json) -> bytes:
    facts = summary["body"]
    return sealing.derive(vault_at(SEALED).run_keys.secret(facts["key"]), bytes.fromhex(facts["salt"]), sealing.BODY)


def _bound(summary: Json) -> bytes:
    facts = {name: summary[name] for name in ("asset", "point")}
    return canonical.dumps(facts | {name: summary["body"][name] for name in ("codec", "raw")})


def frame(place: int, value: object) -> Edit:
    """One fact of a frame of the first file that has frames."""

    def edit(_: Json, body: Json) -> None:
        next(file for file in body["files"] if file["frames"])["frames"][0][place] = value

    return edit


def shift(place: int) -> Edit:
    """One number of every frame, raised by one."""

    def edit(_: Json, body: Json) -> None:
        for file in body["files"]:
            for row in file["frames"]:
                row[place] += 1

    return edit


def both(*edits: Edit) -> Edit:
    """One edit after the other."""

    def edit(summary: Json, body: Json) -> None:
        for each in edits:
            each(summary, body)

    return edit


def without_seals(_: Json, body: Json) -> None:
    """Takes the seals out of the body."""
    del body["seals"]


def without_keys(summary: Json, _: Json) -> None:
    """Takes the run keys out of the summary."""
    del summary["keys"]


def clear_frames(_: Json, body: Json) -> None:
    """Says of every frame that it is not sealed."""
    for file in body["files"] + body["attachments"]:
        for row in file["frames"]:
            row[5] = 0


def nothing(_summary: Json, _body: Json) -> None:
    """Leaves all as it is."""


FORGERIES: dict[str, Callable[[], bytes]] = {
    "is not signed": lambda: forged(nothing, None),
    "is signed by a stranger": lambda: forged(nothing, signing.signer(fresh_keys().signer)),
    "has a body in the clear": lambda: forged(nothing, sealed=False),
    "is all in the clear": lambda: forged(both(without_seals, without_keys, clear_frames), sealed=False),
    "has packs in the clear": lambda: forged(both(without_seals, without_keys, clear_frames)),
    "has packs in the clear beside run keys": lambda: forged(both(without_seals, clear_frames)),
    "names no run keys": lambda: forged(without_keys),
    "has no seals": lambda: forged(without_seals),
    "has a seal too few": lambda: forged(lambda _, body: body["seals"].pop() and None),
    "has a seal too many": lambda: forged(lambda _, body: body["seals"].append(body["seals"][0])),
    "has a seal of no run key": lambda: forged(lambda _, body: body["seals"].__setitem__(0, [9, "00" * 16])),
    "has a seal of a run key below": lambda: forged(lambda _, body: body["seals"].__setitem__(0, [-1, "00" * 16])),
    "has another salt": lambda: forged(lambda _, body: body["seals"][0].__setitem__(1, "00" * 16)),
    "has the run keys exchanged": lambda: forged(lambda summary, _: summary["keys"].reverse()),
    "has a frame in the clear": lambda: forged(frame(5, 0)),
    "has a frame of an unknown seal": lambda: forged(frame(5, 2)),
    "has frames elsewhere": lambda: forged(shift(1)),
    "has a frame of another codec": lambda: forged(shift(4)),
    "has a run key that is none": lambda: forged(lambda summary, _: summary["keys"].append("../../points")),
    "has a body under no run key": lambda: forged(lambda summary, _: summary["body"].update(key="../vault")),
    "has another body's salt": lambda: forged(lambda summary, _: summary["body"].update(salt="x")),
    "has another point's body": lambda: forged(
        lambda summary, _: summary | {"point": "20200101T000000000000Z-00000000"}
    ),
}
