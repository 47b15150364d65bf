"""From what was asked on the command line to the reader: opens the vault, wherever it is."""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import reader

FORMAT = 1
NEWER = "take the newest file below kit/ of this vault"


def run(asked: argparse.Namespace) -> int:
    """The exit code; one line on standard error for what is wrong."""
    asked.identity, asked.to = asked.key, asked.to and asked.to.absolute()
    with tempfile.TemporaryDirectory(prefix="dr-vault-", ignore_cleanup_errors=True) as folder:
        code, told = reader.attempt(_run, asked, Path(folder))
    if code:
        print(f"error: {asked.vault}:", told.encode("unicode_escape").decode(), file=sys.stderr)
    return code


def _run(asked: argparse.Namespace, folder: Path) -> None:
    asked.root = _opened(asked, folder)
    facts = reader.canonical((asked.root / "vault.json").read_bytes())
    older = isinstance(facts.get("format"), int) and facts["format"] > FORMAT
    reader.need(not older, f"a vault of format {facts.get('format')}, and this kit reads {FORMAT}: {NEWER}", 7)
    reader.need(not asked.to or asked.to.parent.is_dir(), f"{asked.to and asked.to.parent}: no such directory", 5)
    shown = sys.stderr.isatty()
    if shown:
        reader.read_frame = _told(reader.read_frame)
    if asked.with_attachments:
        reader.fill = _attaching(reader.fill, asked.with_attachments.absolute())
    looked_at = [0]
    if asked.command == "verify":
        reader.load_summary = _verifying(reader.load_summary, looked_at)
    try:
        reader.run(asked)
    finally:
        if shown:
            print(file=sys.stderr)
    reader.need(asked.command != "verify" or looked_at[0], "no such point, or none at all", 5)


def _opened(asked: argparse.Namespace, folder: Path) -> Path:
    """The vault as a directory, or as what looks like one."""
    scheme = urlsplit(asked.vault).scheme
    if scheme == "s3":
        import vault_path

        return vault_path.opened(asked, folder)
    reader.need(scheme in ("", "file"), f"a kit reads directories and s3://…, not {scheme}: copy it first (rclone)", 2)
    root = Path(unquote(urlsplit(asked.vault).path) if scheme else asked.vault).absolute()
    reader.need((root / "vault.json").is_file(), "there is no vault.json here: no vault, or not its directory", 5)
    return root


def _attaching(fill: Any, folder: Path) -> Any:
    """`fill` that also writes what was recorded beside the asset: golden outputs, facts of tables."""

    def attaching(packs: Any, body: Any, to: Path) -> None:
        fill(packs, body, to)
        folder.mkdir(parents=True, exist_ok=True)
        for file in body["attachments"]:
            (folder / file["path"]).write_bytes(b"".join(_contents(packs, file)))

    return attaching


def _verifying(load_summary: Any, looked_at: list[int]) -> Any:
    """`load_summary` that also reads and proves every byte of the point: the reader lists, and each point is whole."""

    def verifying(vault: Any, path: Path) -> Any:
        looked_at[0] += 1
        found = load_summary(vault, path)
        reader.load_summary = load_summary  # `load` asks for it, too
        try:
            body, packs = reader.load(vault, path)
        finally:
            reader.load_summary = verifying
        for file in body["files"] + body["attachments"]:
            for _ in _contents(packs, file):
                pass
        return found

    return verifying


def _contents(packs: Any, file: Any) -> Iterator[bytes]:
    """The bytes of a file, frame by frame; behind the last one the whole is proven."""
    whole = hashlib.sha256()
    for frame in file["frames"]:
        data = reader.read_frame(packs[frame[0]], frame)
        whole.update(data)
        yield data
    reader.need(whole.hexdigest() == file["sha256"], f"{file['path']}: the whole does not have its digest")


def _told(read_frame: Any) -> Any:
    """`read_frame` that also says how far it is."""
    done, started = [0, 0.0], time.monotonic()

    def told(pack: Any, frame: Any) -> bytes:
        data: bytes = read_frame(pack, frame)
        done[0] += len(data)
        now = time.monotonic()
        if now - done[1] > 0.5:
            done[1] = now
            print(f"\r{done[0] / 1e6:,.0f} MB, {done[0] / 1e6 / (now - started):,.0f} MB/s ", end="", file=sys.stderr)
        return data

    return told
