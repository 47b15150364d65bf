"""The bytes of a manifest object.

    offset 0   8 bytes   magic "DRMANI" 0x00 0x01
    offset 8   4 bytes   length of the envelope (u32 le)
    offset 12  32 bytes  SHA-256 of the envelope
    then       envelope  canonical JSON of DSSE's shape; its payload is the clear summary in canonical JSON
    then       body      to the end; how it is encoded and sealed, and its SHA-256, stand in the summary

The envelope's digest finds damage, its signatures find forgery: they cover the summary, which holds the body's digest,
which holds those of all frames.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from typing import Any, Final

from dr_lib.codecs import registry
from dr_lib.crypto import sealing, signing
from dr_lib.crypto.run_key import RunKey
from dr_lib.crypto.signing import Signer
from dr_lib.errors import DrError, IntegrityError
from dr_lib.format import canonical, entries, pack
from dr_lib.format.access import CLEAR, Access
from dr_lib.format.manifest_check import check
from dr_lib.model.manifest import Manifest, PackRef, PointSummary

HEAD: Final = b"DRMANI\x00\x01"
PAYLOAD_TYPE: Final = "application/vnd.dr.point.v1+json"
MAX_BODY: Final = 1 << 30
"""Longest decoded body a reader accepts (about four million files)."""
_ENVELOPE: Final = struct.Struct("<I32s")
_DOWNGRADED: Final = "somebody may have replaced it; use another region's copy"


def dump(manifest: Manifest, run_key: RunKey | None = None, signer: Signer | None = None) -> bytes:
    """Bytes of a manifest object, sealed under `run_key` if there is one; in the clear, equal ones give equal bytes."""
    keys = _run_keys(manifest, run_key)
    raw = canonical.dumps(_body_json(manifest, keys))
    codec, body = registry.encode_smallest(raw)
    facts: dict[str, Any] = {"codec": codec, "seal": pack.NOT_SEALED, "raw": len(raw)}
    if run_key is not None:
        facts |= {"seal": pack.SEALED, "key": run_key.id, "salt": sealing.new_salt().hex()}
        body = _sealed(_body_key(run_key.secret, facts), body, _bound(manifest.summary, facts))
    facts["sha256"] = hashlib.sha256(body).hexdigest()
    summary = _summary_json(manifest.summary) | {"body": facts} | ({"keys": keys} if keys else {})
    envelope = canonical.dumps(signing.envelope(PAYLOAD_TYPE, canonical.dumps(summary), signer))
    return HEAD + _ENVELOPE.pack(len(envelope), hashlib.sha256(envelope).digest()) + envelope + body


def _sealed(key: bytes, body: bytes, bound: bytes) -> bytes:
    """The body sealed, and opened once before it counts, as the encoding was decoded once."""
    sealed = sealing.seal(key, 0, body, bound)
    if sealing.unseal(key, 0, sealed, bound) != body:
        raise DrError("a sealed manifest did not open to what was sealed", hint="check this machine's memory")
    return sealed


def load(data: bytes, where: str, access: Access = CLEAR) -> Manifest:
    """The manifest in `data`, checked as untrusted: `IntegrityError` naming `where` for all that does not hold.

    `PermissionDenied` when it is sealed under a key that `access` cannot open.
    """
    try:
        clear, body = _split(data, where, access)
        summary = _parse_summary(clear)
        opened = _open_body(clear["body"], body, summary, where, access)
        manifest = _parse_body(summary, opened, sealed=access.sealed)
    except entries.ODD as error:
        raise IntegrityError(f"a manifest does not parse: {error!r}", where=where) from error
    check(manifest, where)
    return manifest


def load_summary(data: bytes, where: str, access: Access = CLEAR) -> PointSummary:
    """The clear part alone; `data` may end anywhere after the envelope."""
    try:
        return _parse_summary(_split(data, where, access)[0])
    except entries.ODD as error:
        raise IntegrityError(f"a manifest's summary does not parse: {error!r}", where=where) from error


def clear_part(data: bytes) -> bytes:
    """The start of a sound manifest up to the end of its envelope: what `load_summary` needs."""
    length, _ = _ENVELOPE.unpack_from(data, len(HEAD))
    return data[: len(HEAD) + _ENVELOPE.size + length]


def load_clear(data: bytes, where: str, access: Access = CLEAR) -> PointSummary:
    """The clear part of a whole manifest whose body has its digest: all that can be said without a reading key."""
    try:
        clear, body = _split(data, where, access)
        _check_body(clear["body"], body, where, access)
        return _parse_summary(clear)
    except entries.ODD as error:
        raise IntegrityError(f"a manifest's summary does not parse: {error!r}", where=where) from error


def _split(data: bytes, where: str, access: Access) -> tuple[dict[str, Any], bytes]:
    start = len(HEAD) + _ENVELOPE.size
    if not data.startswith(HEAD) or len(data) < start:
        raise IntegrityError("not a manifest of this format", where=where)
    length, digest = _ENVELOPE.unpack_from(data, len(HEAD))
    end = start + length
    if end > len(data):
        raise IntegrityError("a manifest ends before its envelope does", where=where)
    if hashlib.sha256(data[start:end]).digest() != digest:
        raise IntegrityError("a manifest's envelope does not have its digest", where=where)
    try:
        payload = signing.payload_of(canonical.loads(data[start:end], where), PAYLOAD_TYPE, access.trusted)
    except IntegrityError as error:
        raise IntegrityError(f"a manifest cannot be trusted: {error.what}", where=where, hint=error.hint) from error
    return canonical.loads(payload, where), data[end:]


def _check_body(facts: dict[str, Any], body: bytes, where: str, access: Access) -> None:
    if hashlib.sha256(body).digest() != entries.hash_bytes(facts["sha256"]):
        raise IntegrityError("a manifest's body is not the one its summary names", where=where)
    expected = pack.SEALED if access.sealed else pack.NOT_SEALED
    seal = entries.natural(facts["seal"])
    if seal not in (pack.NOT_SEALED, pack.SEALED):
        raise IntegrityError("a manifest is sealed in a way this version does not know", where=where)
    if seal != expected:
        clear = "is in the clear in a vault that is sealed" if access.sealed else "is sealed in a vault that is not"
        raise IntegrityError(f"a manifest {clear}", where=where, hint=_DOWNGRADED)


def _open_body(facts: dict[str, Any], body: bytes, summary: PointSummary, where: str, access: Access) -> dict[str, Any]:
    _check_body(facts, body, where, access)
    raw = entries.natural(facts["raw"])
    if raw > MAX_BODY:
        raise IntegrityError(f"a manifest claims a body of {raw} bytes", where=where)
    if access.sealed:
        secret = access.run_key(entries.key_id(facts["key"]))
        try:
            body = sealing.unseal(_body_key(secret, facts), 0, body, _bound(summary, facts))
        except IntegrityError as error:
            raise IntegrityError(f"a manifest's body does not open: {error.what}", where=where) from error
    return canonical.loads(registry.by_id(entries.natural(facts["codec"])).decode(body, raw), where)


def _body_key(secret: bytes, facts: dict[str, Any]) -> bytes:
    return sealing.derive(secret, entries.salt(facts["salt"]), sealing.BODY)


def _bound(summary: PointSummary, facts: dict[str, Any]) -> bytes:
    return canonical.dumps({"asset": summary.asset, "point": summary.point} | {k: facts[k] for k in ("codec", "raw")})


def _run_keys(manifest: Manifest, run_key: RunKey | None) -> list[str]:
    """Ids of every run key that the point needs, sorted."""
    packs = {ref.seal.key for ref in manifest.summary.packs if ref.seal is not None}
    return sorted(packs | ({run_key.id} if run_key is not None else set()))


def _summary_json(summary: PointSummary) -> dict[str, Any]:
    return {
        "format": 1,
        "asset": summary.asset,
        "point": summary.point,
        "kind": summary.kind,
        "created_at": canonical.time_text(summary.created_at),
        "logical_bytes": summary.logical_bytes,
        "stored_bytes": summary.stored_bytes,
        "files": summary.files,
        "packs": [[pack.sha256, pack.size] for pack in summary.packs],
    }


def _parse_summary(clear: dict[str, Any]) -> PointSummary:
    if entries.natural(clear["format"]) != 1:
        raise ValueError(f"format {clear['format']!r} is not known to this version")
    return PointSummary(
        asset=entries.text(clear["asset"]),
        point=entries.text(clear["point"]),
        kind=entries.text(clear["kind"]),
        created_at=canonical.parse_time(entries.text(clear["created_at"])),
        logical_bytes=entries.natural(clear["logical_bytes"]),
        stored_bytes=entries.natural(clear["stored_bytes"]),
        files=entries.natural(clear["files"]),
        packs=tuple(PackRef(entries.hash_bytes(name).hex(), entries.natural(size)) for name, size in clear["packs"]),
        keys=tuple(entries.key_id(item) for item in clear.get("keys", ())),
    )


def _body_json(manifest: Manifest, keys: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {
        "files": [entries.file_json(f) for f in manifest.files],
        "directories": [entries.directory_json(d) for d in manifest.directories],
        "links": [entries.link_json(link) for link in manifest.links],
        "tensors": [entries.tensor_json(t) for t in manifest.tensors],
        "attachments": [entries.file_json(f) for f in manifest.attachments],
        "environment": manifest.environment,
        "source": manifest.source,
    }
    if keys:
        body["seals"] = [entries.pack_seal_json(ref.seal, keys) for ref in manifest.summary.packs]
    return body


def _parse_body(summary: PointSummary, body: dict[str, Any], *, sealed: bool) -> Manifest:
    return Manifest(
        summary=replace(summary, packs=_sealed_packs(summary, body.get("seals"), sealed=sealed)),
        files=tuple(entries.parse_file(item) for item in body["files"]),
        directories=tuple(entries.parse_directory(item) for item in body["directories"]),
        links=tuple(entries.parse_link(item) for item in body["links"]),
        tensors=tuple(entries.parse_tensor(item) for item in body["tensors"]),
        attachments=tuple(entries.parse_file(item) for item in body["attachments"]),
        environment=entries.texts(body["environment"]),
        source=entries.texts(body["source"]),
    )


def _sealed_packs(summary: PointSummary, rows: list[Any] | None, *, sealed: bool) -> tuple[PackRef, ...]:
    """The packs with their seals: every one has its own in a sealed vault, none in a clear one."""
    if not sealed and rows is None and not summary.keys:
        return summary.packs
    if not sealed or rows is None or len(rows) != len(summary.packs):
        raise ValueError("the packs have no seals, or others")
    seals = [entries.parse_pack_seal(row, summary.keys) for row in rows]
    return tuple(replace(ref, seal=seal) for ref, seal in zip(summary.packs, seals, strict=True))
