"""Restore and check a vault of format 1 on a bare machine, without the program that wrote it.

It follows FORMAT.md. Needs Python 3.10, zstandard for what is compressed and, if there is one, blake3: without
it, whole packs and files are proven by their SHA-256 instead of each frame by its own digest.
Exits with 0 done, 2 wrong command, 4 damaged or forged bytes, 5 not there, 6 the disk failed, 7 refused.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib.util
import json
import os
import re
import struct
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ENTRY, FOOTER, TYPE = struct.Struct("<32sHBBII"), struct.Struct("<II32s8s"), "application/vnd.dr.point.v1+json"
MAX_RAW, MAX_PACK, MAX_BODY, MAX_TIME = 64 << 20, 256 << 20, 1 << 30, 1 << 63
MAX_NAME, MAX_PATH, MAX_HOPS, MAX_MODE = 255, 4095, 40, 0o1777
POINT = re.compile(r"points/[a-z0-9-]+/[0-9]{8}T[0-9]{12}Z-[0-9a-f]{8}\.manifest")
NORMAL = re.compile(r"\.|(?!\.{1,2}(/|\Z))[^/\0]+(/(?!\.{1,2}(/|\Z))[^/\0]+)*")
Json = dict[str, Any]
BLAKE3, ZSTD = (importlib.import_module(m) if importlib.util.find_spec(m) else None for m in ("blake3", "zstandard"))
ZSTD_ERROR = getattr(ZSTD, "ZstdError", KeyError)
ODD = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, ZSTD_ERROR)


class Fault(Exception):
    """The exit code and, in one line, what is wrong."""


def need(sound: bool, what: str, code: int = 4) -> None:  # noqa: FBT001
    """Raise `Fault` unless `sound`."""
    if not sound:
        raise Fault(code, what)


def unzstd(stored: bytes, raw: int) -> bytes:
    """One frame and nothing behind it; the length that it declares is compared before anything is allocated."""
    if ZSTD is None:
        raise Fault(7, "this vault is compressed: install the package zstandard for this Python")
    need(ZSTD.frame_content_size(stored) == raw, "a zstd frame declares another length")
    return bytes(ZSTD.ZstdDecompressor().decompress(stored, allow_extra_data=False))


def planes(stored: bytes, raw: int) -> bytes:
    """Bytes of equal significance together; perhaps each element rotated left by a bit, or folded."""
    need(len(stored) > 2 and stored[0] in (2, 4, 8) and stored[1] < 3, "planes of no known kind")
    width, count, data, at = stored[0], raw // stored[0], bytearray(raw), 2 + 4 * stored[0]
    for plane, length in enumerate(struct.unpack_from(f"<{width}I", stored.ljust(at), 2)):
        data[plane : count * width : width] = decode(int(length != count), 0, stored[at : at + length], count)
        at += length
    need(at + raw % width == len(stored), "planes that do not fill their frame")
    if stored[1]:
        whole = int.from_bytes(data[: count * width], "little")
        low = whole & int.from_bytes((b"\1" + bytes(width - 1)) * count, "little")
        turned = low << 8 * width - 1 if stored[1] == 1 else (low << 8 * width) - low  # all bits, or the highest
        data[: count * width] = ((whole ^ low) >> 1 ^ turned).to_bytes(count * width, "little")
    return bytes(data[: count * width]) + stored[at:]


def palette(stored: bytes, raw: int) -> bytes:
    """Up to 256 values, and for each element the number of its own."""
    need(len(stored) >= 2 and stored[0] in (2, 4, 8), "a palette of no known kind")
    width, rest, start = stored[0], raw % stored[0], 2 + (stored[1] + 1) * stored[0]
    need(len(stored) >= start + rest, "a palette that ends before its values do")
    coded, data = stored[start : len(stored) - rest], bytearray(raw - rest)
    places = decode(int(len(coded) != raw // width), 0, coded, raw // width)
    need(max(places, default=0) <= stored[1], "a palette without the value that an element has")
    for byte in range(width):
        data[byte::width] = places.translate(stored[2 + byte : start : width].ljust(256))
    return bytes(data) + stored[len(stored) - rest :]


CODECS = {0: lambda stored, _: stored, 1: unzstd, 3: planes, 4: palette}
CODECS[2] = lambda stored, raw: (stored * (raw // len(stored) + 1))[:raw] if 1 <= len(stored) <= 8 else b""


def decode(codec: int, seal: int, stored: bytes, raw: int, digest: str = "") -> bytes:
    """Exactly `raw` bytes, proven by their BLAKE3 where it is known and can be had."""
    need(codec in CODECS and seal == 0, f"codec {codec} or seal {seal} is not known to this reader")
    data = bytes(CODECS[codec](stored, raw))
    need(len(data) == raw, f"a frame {digest} of {len(data)} bytes where {raw} were promised")
    need(not digest or BLAKE3 is None or BLAKE3.blake3(data).hexdigest() == digest, f"not the bytes of frame {digest}")
    return data


def canonical(data: bytes) -> Json:
    """The object that `data` is the canonical JSON of; a number beyond 20 digits is cut, and so seen as none."""
    value = json.loads(data, parse_int=lambda digits: int(digits[:20]))
    same = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode() == data
    need(isinstance(value, dict) and same, "not canonical JSON")
    return dict(value)


def natural(*values: Any) -> None:
    """Refuse what are no whole numbers from 0 up."""
    need(all(type(value) is int and value >= 0 for value in values), "not a number from 0 up")


def load(path: Path) -> tuple[Json, Json]:
    """Summary and body of a manifest in which everything holds that must before a byte of it is restored."""
    need(path.is_file() and path.stat().st_size <= MAX_BODY, f"{path}: no manifest")
    end = 44 + int.from_bytes((data := path.read_bytes())[8:12], "little")
    need(data[:8] == b"DRMANI\0\1" and end <= len(data), "not a manifest of this format, or cut off")
    need(hashlib.sha256(data[44:end]).digest() == data[12:44], "the envelope does not have its digest")
    envelope = canonical(data[44:end])
    summary = canonical(base64.b64decode(envelope["payload"], validate=True))
    facts = summary["body"]
    natural(summary["format"], facts["raw"], facts["codec"], facts["seal"], *(size for _, size in summary["packs"]))
    named = (envelope["payloadType"], summary["format"], summary["asset"], summary["point"])
    need(named == (TYPE, 1, path.parent.name, path.stem), "tells of another point, type or format")
    sound = all(re.fullmatch("[0-9a-f]{64}", name) and size <= MAX_PACK for name, size in summary["packs"])
    need(hashlib.sha256(data[end:]).hexdigest() == facts["sha256"], "the body does not have its digest")
    need(sound and facts["raw"] <= MAX_BODY, "a pack or a body that is larger than any is, or has no name")
    body = canonical(decode(facts["codec"], facts["seal"], data[end:], facts["raw"]))
    check_files(summary, body)
    check_tree(body)
    for pack, size in ((path.parents[2] / "packs" / name[:2] / name, size) for name, size in summary["packs"]):
        need(pack.is_file() and pack.stat().st_size == size, f"pack {pack.name} is missing or not {size} bytes long")
    return summary, body


def check_files(summary: Json, body: Json) -> None:
    """Frames lie in their packs and cover their files; sums are right; tensors lie in their files."""
    packs, places, files = summary["packs"], dict[tuple[int, int], int](), body["files"] + body["attachments"]
    for file in files:
        for pack, offset, length, raw, codec, seal, _ in file["frames"]:
            natural(pack, offset, length, raw, codec, seal)
            need(codec in CODECS and seal == 0, f"{file['path']}: a frame of an unknown codec or seal")
            inside = 0 < length <= MAX_RAW and pack < len(packs) and offset + length <= packs[pack][1]
            need(inside and 0 < raw <= MAX_RAW, f"{file['path']}: a frame of no right size, or outside its pack")
            places[pack, offset] = length
        natural(file["size"], file["mode"])
        need(sum(frame[3] for frame in file["frames"]) == file["size"], f"{file['path']}: frames do not add up")
    sums = (len(body["files"]), sum(file["size"] for file in body["files"]), sum(places.values()))
    need(sums == (summary["files"], summary["logical_bytes"], summary["stored_bytes"]), "other sums than listed")
    sizes = {file["path"]: file["size"] for file in body["files"]}
    natural(*(tensor[place] for tensor in body["tensors"] for place in ("offset", "length")))
    need(all(t["offset"] + t["length"] <= sizes.get(t["file"], -1) for t in body["tensors"]), "a tensor lies outside")


def check_tree(body: Json) -> None:
    """Names, modes and times; every parent listed; links that stay inside, however they lead through each other."""
    tree, names = body["files"] + body["directories"] + body["links"], [a["path"] for a in body["attachments"]]
    paths, folders = [entry["path"] for entry in tree], {folder["path"] for folder in body["directories"]}
    links = {link["path"]: link["target"] for link in body["links"]}
    for entry in tree + body["attachments"]:
        path, mode, time = entry["path"], entry.get("mode", 0), entry["mtime_ns"]
        octets = path.encode("utf-8", "surrogateescape")
        short = len(octets) <= MAX_PATH and max(map(len, octets.split(b"/"))) <= MAX_NAME
        normal = NORMAL.fullmatch(path) is not None and octets.decode("utf-8", "surrogateescape") == path
        need(short and normal, f"the path {path} leads out, is not normal or is too long")
        sound = type(mode) is type(time) is int and 0 <= mode <= MAX_MODE and -MAX_TIME <= time < MAX_TIME
        need(sound, f"{path}: a mode or a time that no file system keeps")
    need("." in folders and len(set(paths)) == len(paths), "no root directory, or two entries of one path")
    need(all(path == "." or (path.rpartition("/")[0] or ".") in folders for path in paths), "a parent is not listed")
    need(len({*names, "."}) == len(names) + 1 and "/" not in "".join(names), "attachments of names that cannot be")
    for path, target in links.items():
        need(0 < len(target.encode("utf-8", "surrogateescape")) <= MAX_PATH and "\0" not in target, f"{path}: no link")
        follow(path, links)


def follow(path: str, links: dict[str, str]) -> None:
    """Refuse a link any step of which leaves the tree; one that dangles or loops inside may stand."""
    pending, walked, hops = path.split("/")[::-1], list[str](), 0
    while pending and hops <= MAX_HOPS:
        part = pending.pop()
        need(part != ".." or bool(walked), f"the link {path} leads out of the tree")
        walked = walked[:-1] if part == ".." else walked + [part] * (part not in ("", "."))
        target = links.get("/".join(walked))
        if target is not None:
            need(not target.startswith("/"), f"the link {path} leads out of the tree")
            pending, walked, hops = pending + target.split("/")[::-1], walked[:-1], hops + 1


def check_pack(root: Path, name: str, size: int) -> set[tuple[Any, ...]]:
    """The frames of a pack that is proven whole: its name, its table, each frame."""
    where = root / "packs" / name[:2] / name
    data, frames, at = where.read_bytes(), set[tuple[Any, ...]](), 8
    need(hashlib.sha256(data).hexdigest() == name, f"{where}: the bytes do not have the digest that names them")
    need(size >= 8 + FOOTER.size and data[:8] == b"DRPACK\0\1", f"{where}: not a pack of this format")
    count, version, digest, magic = FOOTER.unpack(data[-FOOTER.size :])
    start = size - FOOTER.size - count * ENTRY.size
    need(version == 1 and magic == b"DRPACKND" and start >= 8, f"{where}: the footer does not parse")
    need(hashlib.sha256(data[start : -FOOTER.size]).digest() == digest, f"{where}: the table has another digest")
    for chunk, codec, seal, reserved, raw, length in ENTRY.iter_unpack(data[start : -FOOTER.size]):
        need(reserved == 0 and 0 < raw <= MAX_RAW and 0 < length <= start - at, f"{where}: an entry is not sound")
        decode(codec, seal, data[at : at + length], raw, chunk.hex())
        frames.add((0, at, length, raw, codec, seal, chunk.hex()))
        at += length
    need(at == start, f"{where}: the frames do not fill it")
    return frames


def survey(root: Path, paths: list[Path], *, deep: bool) -> int:
    """One line a point; `deep` proves its packs, each once. 4 when one is not whole."""
    known, code = dict[tuple[str, int], set[tuple[Any, ...]]](), 0
    for path in paths:
        try:
            summary, body = load(path)
            packs = [(name, size) for name, size in summary["packs"]] if deep else []
            known.update({pack: check_pack(root, *pack) for pack in packs if pack not in known})
            for file in body["files"] + body["attachments"] if deep else []:
                sound = all((0, *frame[1:]) in known[packs[frame[0]]] for frame in file["frames"])
                need(sound, f"{file['path']}: a frame that its pack does not list")
            told = f"{summary['created_at']} {summary['files']} files {summary['logical_bytes']} bytes{' whole' * deep}"
        except (Fault, *ODD) as error:
            code, what = error.args if isinstance(error, Fault) else (4, f"does not parse: {error!r}")
            need(code == 4, what, code)
            told = f"DAMAGED: {what}"
        print(path.parent.name, path.stem, told.encode("unicode_escape").decode())
    return code


def fill(root: Path, packs: list[tuple[str, int]], body: Json, to: Path) -> None:
    """Write the tree: links after all files, so that none is written through one; facts of folders last."""
    folders = sorted(body["directories"], key=lambda entry: len(entry["path"]) * (entry["path"] != "."))
    for folder in folders:
        (to / folder["path"]).mkdir(mode=0o700, exist_ok=folder["path"] == ".")
    for file in body["files"]:
        sha, three = hashlib.sha256(), BLAKE3.blake3() if BLAKE3 else None
        with (to / file["path"]).open("xb") as out:
            for frame in file["frames"]:
                with (root / "packs" / packs[frame[0]][0][:2] / packs[frame[0]][0]).open("rb") as pack:
                    pack.seek(frame[1])
                    data = decode(frame[4], frame[5], pack.read(frame[2]), frame[3], frame[6])
                out.write(data)
                sha.update(data)
                _ = three and three.update(data)
            out.flush()
            os.fsync(out.fileno())
        sound = sha.hexdigest() == file["sha256"] and (three is None or three.hexdigest() == file["blake3"])
        need(sound, f"{file['path']}: the whole does not have its digest")
    for link in body["links"]:
        (to / link["path"]).symlink_to(link["target"])
    for entry in body["files"] + body["links"] + folders[::-1]:
        if "target" not in entry:
            (to / entry["path"]).chmod(entry["mode"])
        os.utime(to / entry["path"], ns=(entry["mtime_ns"],) * 2, follow_symlinks=False)


def restore(root: Path, path: Path, target: Path) -> None:
    """The tree of a point as `target`, which must be absent or an empty directory: all of it or nothing."""
    empty = target.is_dir() and not target.is_symlink() and not any(target.iterdir())
    need(empty or not os.path.lexists(target), f"{target}: in the way", 7)
    need(target.parent.is_dir(), f"{target.parent}: no such directory", 5)
    need(root.resolve() not in (target.resolve(), *target.resolve().parents), f"{target}: lies in the vault", 7)
    summary, body = load(path)
    for name, size in summary["packs"] if BLAKE3 is None else []:
        check_pack(root, name, size)
    with TemporaryDirectory(prefix=".restoring-", dir=target.parent, ignore_cleanup_errors=True) as staging:
        fill(root, summary["packs"], body, Path(staging))
        Path(staging).rename(target)


def run(asked: argparse.Namespace) -> int:
    """Do what was asked; the exit code."""
    root, asset, point = Path(asked.vault), asked.asset, asked.point
    need((root / "vault.json").is_file(), f"{root}: no vault: it holds no vault.json", 5)
    facts = canonical((root / "vault.json").read_bytes())
    known = type(facts.get("format")) is int and facts["format"] == 1 and facts.get("encryption") == "none"
    need(known, f"{root}: not a vault of format 1 in the clear")
    found = sorted(p for p in root.glob("points/*/*.manifest") if POINT.fullmatch(p.relative_to(root).as_posix()))
    paths = [p for p in found if asset in (None, p.parent.name) and point in (None, p.stem)]
    need(bool(paths) or asked.command == "list", f"{root}: no such point, or none at all", 5)
    if asked.command == "restore":
        restore(root, paths[-1], Path(asked.to).absolute())
    return survey(root, paths[-1:] if asked.to else paths, deep=asked.command == "verify")


def main(arguments: list[str] | None = None) -> int:
    """The command line; one line on standard error for what is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("vault", help="directory that holds vault.json")
    parser.add_argument("command", choices=("list", "restore", "verify"))
    parser.add_argument("asset", nargs="?")
    parser.add_argument("--point", help="the newest if none is named")
    parser.add_argument("--to", help="directory to make, or an empty one")
    asked = parser.parse_args(arguments)
    if (asked.command == "restore") != bool(asked.to) or (asked.to and not asked.asset):
        parser.error("restore, and it alone, takes an ASSET and --to DIR")
    try:
        return run(asked)
    except (Fault, OSError, *ODD) as error:
        odd = (6, str(error)) if isinstance(error, OSError) else (4, f"does not parse: {error!r}")
        code, what = error.args if isinstance(error, Fault) else odd
    print(f"error: {asked.vault}:", what.encode("unicode_escape").decode(), file=sys.stderr)
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
