"""The live data is encrypted in place, as ransomware does it; the key is thrown away."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from dr_lib.workflows.drill.blows.blow import Tools
from dr_lib.workflows.drill.durable import rename

MARK: Final = b"encrypted by a drill; the original is safe\n"
_BLOCK: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class EncryptedBlow:
    """`path` goes to `aside`, and a tree of the same names and sizes of nonsense, made in `draft`, takes its place."""

    path: str
    aside: str
    draft: str

    @property
    def target(self) -> str:
        """The directory."""
        return f"directory {self.path}"

    def strike(self, tools: Tools) -> str:  # noqa: ARG002 - the protocol's signature
        """Two renames, after the encrypted tree is whole; no byte of the original is changed."""
        path, aside, draft = Path(self.path), Path(self.aside), Path(self.draft)
        count = sum(_encrypt(file, draft / file.relative_to(path)) for file in _files(path))
        rename(path, aside)
        rename(draft, path)
        return f"{count} files of {path.name} were encrypted in place"

    def undo(self, tools: Tools) -> str | None:  # noqa: ARG002 - the protocol's signature
        """Put the original back and remove the encrypted files; others that came meanwhile are kept, and told."""
        path, aside, draft = Path(self.path), Path(self.aside), Path(self.draft)
        if aside.exists():
            if path.exists():
                rename(path, draft)
            rename(aside, path)
        if draft.exists() and not _removed(draft):
            return f"what was put into {path} meanwhile is in {draft}"
        return None


def _files(root: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(root):
        yield from (Path(folder) / name for name in sorted(names) if (Path(folder) / name).is_file())


def _encrypt(file: Path, into: Path) -> int:
    into.parent.mkdir(parents=True, exist_ok=True)
    cipher = Cipher(algorithms.AES256(os.urandom(32)), modes.CTR(os.urandom(16))).encryptor()
    with file.open("rb") as plain, into.open("wb") as sealed:
        sealed.write(MARK)
        while block := plain.read(_BLOCK):
            sealed.write(cipher.update(block))
    return 1


def _removed(draft: Path) -> bool:
    """Remove the files that bear the mark, unfinished ones too, and empty folders; True when nothing is left."""
    for file in list(_files(draft)):
        with file.open("rb") as stream:
            start = stream.read(len(MARK))
        if MARK.startswith(start):
            file.unlink()
    for folder, _, _ in os.walk(draft, topdown=False):
        if not any(Path(folder).iterdir()):
            Path(folder).rmdir()
    return not draft.exists()
