"""The bytes of a manifest object.

    offset 0   8 bytes   magic "DRMANI" 0x00 0x01
    offset 8   4 bytes   length of the envelope (u32 le)
    offset 12  32 bytes  SHA-256 of the envelope
    then       envelope  canonical JSON of DSSE's shape; its payload is the clear summary in canonical JSON
    then       body      to the end; how it is encoded and sealed, and its SHA-256, stand in the summary

The envelope's digest finds damage, not forgery: that is what signatures are for. `signatures` and `seal` have their
places and are empty and 0 in a vault without encryption.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import Any, Final

from dr_lib.codecs import registry
from dr_lib.errors import IntegrityError
from dr_lib.format import canonical, entries
from dr_lib.format.manifest_check import check
from dr_lib.model.manifest import Manifest, PackRef, PointSummary

HEAD: Final = b"DRMANI\x00\x01"
PAYLOAD_TYPE: Final = "application/vnd.dr.point.v1+json"
MAX_BODY: Final = 1 << 30
"""Longest decoded body a reader accepts (about four million files)."""
_ENVELOPE: Final = struct.Struct("<I32s")


def dump(manifest: Manifest) -> bytes:
    """Bytes of a manifest object; equal manifests give equal bytes."""
    raw = canonical.dumps(_body_json(manifest))
    codec, body = registry.encode_smallest(raw)
    summary = _summary_json(manifest.summary)
    summary["body"] = {"codec": codec, "seal": 0, "raw": len(raw), "sha256": hashlib.sha256(body).hexdigest()}
    payload = base64.b64encode(canonical.dumps(summary)).decode()
    envelope = canonical.dumps({"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": []})
    return HEAD + _ENVELOPE.pack(len(envelope), hashlib.sha256(envelope).digest()) + envelope + body


def load(data: bytes, where: str) -> Manifest:
    """The manifest in `data`, checked as untrusted: `IntegrityError` naming `where` for all that does not hold."""
    try:
        clear, body = _split(data, where)
        manifest = _parse_body(_parse_summary(clear), _open_body(clear["body"], body, where))
    except entries.ODD as error:
        raise IntegrityError(f"a manifest does not parse: {error!r}", where=where) from error
    check(manifest, where)
    return manifest


def load_summary(data: bytes, where: str) -> PointSummary:
    """The clear part alone; `data` may end anywhere after the envelope."""
    try:
        return _parse_summary(_split(data, where)[0])
    except entries.ODD as error:
        raise IntegrityError(f"a manifest's summary does not parse: {error!r}", where=where) from error


def _split(data: bytes, where: str) -> tuple[dict[str, Any], bytes]:
    start = len(HEAD) + _ENVELOPE.size
    if not data.startswith(HEAD) or len(data) < start:
        raise IntegrityError("not a manifest of this format", where=where)
    length, digest = _ENVELOPE.unpack_from(data, len(HEAD))
    end = start + length
    if end > len(data):
        raise IntegrityError("a manifest ends before its envelope does", where=where)
    if hashlib.sha256(data[start:end]).digest() != digest:
        raise IntegrityError("a manifest's envelope does not have its digest", where=where)
    envelope = canonical.loads(data[start:end], where)
    if envelope["payloadType"] != PAYLOAD_TYPE:
        raise IntegrityError(f"a manifest of another kind: {envelope['payloadType']!r}", where=where)
    return canonical.loads(base64.b64decode(envelope["payload"], validate=True), where), data[end:]


def _open_body(facts: dict[str, Any], body: bytes, where: str) -> dict[str, Any]:
    if hashlib.sha256(body).digest() != entries.hash_bytes(facts["sha256"]):
        raise IntegrityError("a manifest's body is not the one its summary names", where=where)
    if entries.natural(facts["seal"]) != 0:
        raise IntegrityError("a manifest is sealed in a way this version does not know", where=where)
    raw = entries.natural(facts["raw"])
    if raw > MAX_BODY:
        raise IntegrityError(f"a manifest claims a body of {raw} bytes", where=where)
    return canonical.loads(registry.by_id(entries.natural(facts["codec"])).decode(body, raw), where)


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
    )


def _body_json(manifest: Manifest) -> dict[str, Any]:
    return {
        "files": [entries.file_json(f) for f in manifest.files],
        "directories": [entries.directory_json(d) for d in manifest.directories],
        "links": [entries.link_json(link) for link in manifest.links],
        "tensors": [entries.tensor_json(t) for t in manifest.tensors],
        "attachments": [entries.file_json(f) for f in manifest.attachments],
        "environment": manifest.environment,
        "source": manifest.source,
    }


def _parse_body(summary: PointSummary, body: dict[str, Any]) -> Manifest:
    return Manifest(
        summary=summary,
        files=tuple(entries.parse_file(item) for item in body["files"]),
        directories=tuple(entries.parse_directory(item) for item in body["directories"]),
        links=tuple(entries.parse_link(item) for item in body["links"]),
        tensors=tuple(entries.parse_tensor(item) for item in body["tensors"]),
        attachments=tuple(entries.parse_file(item) for item in body["attachments"]),
        environment=entries.texts(body["environment"]),
        source=entries.texts(body["source"]),
    )
