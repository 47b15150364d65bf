"""FORMAT.md is in step with the code: its worked examples are the golden vault's bytes, its numbers the constants."""

import base64
import hashlib
import json
import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from dr_lib.codecs import registry
from dr_lib.crypto import keyset, sealing, signing
from dr_lib.format import canonical, index, manifest, manifest_check, pack, run_record
from dr_lib.format.vault_record import FORMAT
from dr_lib.storage.local import LocalStore
from dr_lib.vault import records
from dr_lib.vault.run_keys import RunKeys
from dr_lib.workflows.backup import records as runs
from tests.golden.forging import apart
from tests.golden.keys import secret as secret_of
from tests.golden.test_golden_sealed import SEALED

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "dr_lib" / "format" / "FORMAT.md"
GOLDEN = ROOT / "tests" / "golden" / "v1"
RECORDS = (run_record.SEALED, run_record.SIGNED)
EXAMPLE = re.compile(r"(<!-- (?P<kind>\w+): (?P<path>\S+)(?: (?P<end>\d+))? -->\n```\n)(?P<body>.*?)\n?```", re.DOTALL)


def hexadecimal(data: bytes) -> str:
    rows = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        rows.append(f"{at:04x}  {row.hex(' '):<47}  {text}")
    return "\n".join(rows)


def located(path: str) -> Path:
    """A path of a worked example: in the clear golden vault, or below the name of another."""
    return GOLDEN.parent / path if path.startswith("v1-sealed") else GOLDEN / path


def shown(kind: str, path: str, end: str | None) -> str:
    if kind == "keys":
        return "\n".join(sorted(str(p.relative_to(located(path))) for p in located(path).glob("keys/*/*")))
    data = located(path).read_bytes()[: int(end) if end else None]
    if kind in ("payload", "signatures"):
        envelope = json.loads(data[44 : 44 + int.from_bytes(data[8:12], "little")])
        return base64.b64decode(envelope["payload"]).decode() if kind == "payload" else compact(envelope[kind])
    return {"hex": hexadecimal, "text": bytes.decode, "opened": opened, "seals": seals}[kind](data)


def opened(data: bytes) -> str:
    """A sealed pack of one frame, step by step; by the library `cryptography` alone, as the text tells it."""
    salt, frame, table, footer = data[24:40], data[40:-108], data[-108:-48], data[-48:]
    secret = run_key(data[8:24].hex())
    key, table_key = hkdf(secret, salt, b"dr/1 pack"), hkdf(secret_of("writer").raw, salt, b"dr/1 table")
    entry = AESGCM(table_key).decrypt(bytes(12), table, data[:40])
    codec, raw = int.from_bytes(entry[32:34], "little"), int.from_bytes(entry[36:40], "little")
    nonce = (40).to_bytes(12, "big")
    bound = data[:8] + (40).to_bytes(8, "little") + codec.to_bytes(2, "little") + raw.to_bytes(4, "little")
    assert hashlib.sha256(table).digest() == footer[8:40]
    assert hkdf(secret, b"", b"dr/1 check")[:16] == data[8:24]
    rows = {
        "run key": secret.hex(),
        "salt": salt.hex(),
        "frame: key": key.hex(),
        "frame: nonce": nonce.hex(),
        "frame: bound": bound.hex(),
        "frame: opens to": AESGCM(key).decrypt(nonce, frame, bound).decode(),
        "writer key": secret_of("writer").raw.hex(),
        "table: key": table_key.hex(),
        "table: opens to": f"{entry[:32].hex()}\n{'':17}{entry[32:].hex()}",
    }
    return "\n".join(f"{name:<16} {value}" for name, value in rows.items())


def hkdf(secret: bytes, salt: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, purpose).derive(secret)


def run_key(key_id: str) -> bytes:
    return RunKeys(LocalStore(SEALED, "golden"), (secret_of("operations").text,)).secret(key_id)


def seals(_: bytes) -> str:
    return compact(apart()[1]["seals"])


def compact(value: object) -> str:
    return canonical.dumps(value).decode()


def test_the_worked_examples_are_the_golden_vaults_bytes():
    text = DOCUMENT.read_text()
    right = EXAMPLE.sub(lambda m: m[1] + shown(m["kind"], m["path"], m["end"]) + "\n```", text)
    if os.environ.get("DR_GOLDEN_UPDATE") == "1":
        DOCUMENT.write_text(right)
    assert len(EXAMPLE.findall(text)) == 13
    assert text == right


def test_the_numbers_are_those_of_the_code():
    text = DOCUMENT.read_text()
    for stated in (
        f"vault format {FORMAT}",
        f"at most {pack.MAX_RAW >> 20} MiB raw",
        f"at most {pack.MAX_PACK >> 20} MiB long",
        f"{pack.ENTRY_SIZE} bytes a frame",
        f"the last {pack.FOOTER_SIZE} bytes",
        f"at most {manifest.MAX_BODY >> 30} GiB decoded",
        f"at most {runs.MAX_RECORD >> 30} GiB decoded; a record",
        f"at most {manifest_check.MAX_NAME} bytes a name and {manifest_check.MAX_PATH} a path",
        f"`{manifest.PAYLOAD_TYPE}`",
        f"`{records.EVENT}`",
        f"`{records.STATEMENT}`",
        f"{pack.SEALED_HEAD_SIZE} bytes instead of {len(pack.HEAD)}",
        *(f"`{purpose}`" for purpose in (sealing.PACK, sealing.TABLE, sealing.BODY, sealing.RECORD, sealing._CHECK)),
        *(f"`{prefix}`" for prefix in (signing.PUBLIC_PREFIX, signing.SEED_PREFIX, keyset.WRITER_PREFIX)),
        f"tag of {sealing.TAG_BYTES} bytes",
        f"| {registry.RAW.id} | raw |",
        f"| {registry.ZSTD.id} | zstd |",
    ):
        assert stated in text, stated
    for magic in (pack.HEAD, pack.SEALED_HEAD, pack.TAIL, index.HEAD, manifest.HEAD, *RECORDS):
        assert f"`{magic.hex(' ')}`" in text, magic
