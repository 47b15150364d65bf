"""FORMAT.md is in step with the code: its worked examples are the golden vault's bytes, its numbers the constants."""

import base64
import json
import os
import re
from pathlib import Path

from dr_lib.codecs import registry
from dr_lib.format import index, manifest, manifest_check, pack
from dr_lib.vault.opening import FORMAT
from dr_lib.workflows.backup import records

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "dr_lib" / "format" / "FORMAT.md"
GOLDEN = ROOT / "tests" / "golden" / "v1"
EXAMPLE = re.compile(
    r"(<!-- (?P<kind>hex|text|payload): (?P<path>\S+)(?: (?P<end>\d+))? -->\n```\n)(?P<body>.*?)\n```", re.DOTALL
)


def hexadecimal(data: bytes) -> str:
    rows = []
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        rows.append(f"{at:04x}  {row.hex(' '):<47}  {text}")
    return "\n".join(rows)


def shown(kind: str, path: str, end: str | None) -> str:
    data = (GOLDEN / path).read_bytes()[: int(end) if end else None]
    if kind == "payload":
        envelope = json.loads(data[44 : 44 + int.from_bytes(data[8:12], "little")])
        return base64.b64decode(envelope["payload"]).decode()
    return hexadecimal(data) if kind == "hex" else data.decode()


def test_the_worked_examples_are_the_golden_vaults_bytes():
    text = DOCUMENT.read_text()
    right = EXAMPLE.sub(lambda m: m[1] + shown(m["kind"], m["path"], m["end"]) + "\n```", text)
    if os.environ.get("DR_GOLDEN_UPDATE") == "1":
        DOCUMENT.write_text(right)
    assert len(EXAMPLE.findall(text)) == 6
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
        f"at most {records.MAX_RECORD >> 30} GiB decoded; a record",
        f"at most {manifest_check.MAX_NAME} bytes a name and {manifest_check.MAX_PATH} a path",
        f"`{manifest.PAYLOAD_TYPE}`",
        f"| {registry.RAW.id} | raw |",
        f"| {registry.ZSTD.id} | zstd |",
    ):
        assert stated in text, stated
    for magic in (pack.HEAD, pack.TAIL, index.HEAD, manifest.HEAD):
        assert f"`{magic.hex(' ')}`" in text, magic
