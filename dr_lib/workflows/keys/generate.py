"""A full set of fresh keys as files, and the lines of dr.yaml that name them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from dr_lib.crypto import age, key_text, signing
from dr_lib.crypto.key_text import SecretKey
from dr_lib.crypto.keyset import new_writer_key
from dr_lib.workflows.keys.private_directory import create_directory

OPS: Final = "ops.agekey"
ESCROW: Final = "escrow.agekey"
WRITER: Final = "writer.key"
SIGNER: Final = "signer.key"


@dataclass(frozen=True, slots=True)
class GeneratedKeys:
    """Where the keys are, and what of them may be shown."""

    directory: Path
    ops: str
    escrow: str
    signer: str

    @property
    def files(self) -> dict[str, str]:
        """The path of each key."""
        return {name: str(self.directory / name) for name in (OPS, ESCROW, WRITER, SIGNER)}

    @property
    def yaml(self) -> str:
        """What to add to dr.yaml: public values, and the files' places."""
        place = {name: json.dumps(f"file:{path}", ensure_ascii=False) for name, path in self.files.items()}
        return (
            "encryption:\n"
            "  recipients:\n"
            f"    - {self.ops}  # ops\n"
            f"    - {self.escrow}  # escrow\n"
            f"  identity: {place[OPS]}\n"
            f"  writer: {place[WRITER]}\n"
            "signing:\n"
            f"  key: {place[SIGNER]}\n"
            f'  trusted: ["{self.signer}"]\n'
        )


def generate(directory: Path) -> GeneratedKeys:
    """Make `directory` with four fresh keys in it; errors and atomicity as of `create_directory`."""
    texts = {
        OPS: age.new_identity()[0],
        ESCROW: age.new_identity()[0],
        WRITER: new_writer_key(),
        SIGNER: signing.new_signing_key(),
    }
    keys: dict[str, SecretKey] = {name: key_text.parse(text) for name, text in texts.items()}
    create_directory(directory, {name: key_text.file_of(key) for name, key in keys.items()})
    return GeneratedKeys(directory, keys[OPS].public, keys[ESCROW].public, keys[SIGNER].public)
