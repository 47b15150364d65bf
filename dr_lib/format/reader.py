"""Restore and check a vault of format 1 on a bare machine, without the program that wrote it.

It follows FORMAT.md. Needs Python 3.10, zstandard for what is compressed and, if there is one, blake3: without
it, whole packs and files are proven by their SHA-256 instead of each frame by its own digest. What is signed or sealed
needs the package cryptography; what is sealed also the command age and an identity, without which it is only listed.
Exits with 0 done, 2 wrong command, 4 damaged or forged bytes, 5 not there, 6 the disk failed, 7 refused.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import importlib.util
import json
import os
import re
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ENTRY, FOOTER, TYPE = struct.Struct("<32sHBBII"), struct.Struct("<II32s8s"), "application/vnd.dr.point.v1+json"
MAX_RAW, MAX_PACK, MAX_BODY, MAX_TIME = 64 << 20, 256 << 20, 1 << 30, 1 << 63
MAX_NAME, MAX_PATH, MAX_HOPS, MAX_MODE = 255, 4095, 40, 0o1777
POINT = re.compile(r"points/[a-z0-9-]+/[0-9]{8}T[0-9]{12}Z-[0-9a-f]{8}\.manifest")
WRAPPED = re.compile(r"[0-9]{4}-[0-9a-f]{8}-[0-9a-f]{8}\.age")
NORMAL = re.compile(r"\.|(?!\.{1,2}(/|\Z))[^/\0]+(/(?!\.{1,2}(/|\Z))[^/\0]+)*")
COMPACT = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
CIPHERS, SIGNING = "cryptography.hazmat.primitives.ciphers.aead", "cryptography.hazmat.primitives.asymmetric.ed25519"
FOUND: list[Any] = [
    importlib.import_module(name) if importlib.util.find_spec(name.partition(".")[0]) else None
    for name in ("blake3", "zstandard", "cryptography.exceptions", CIPHERS, SIGNING)
]
BLAKE3, ZSTD, FORGED, AEAD, ED25519 = FOUND
OTHERS = (struct.error, getattr(ZSTD, "ZstdError", KeyError), getattr(FORGED, "InvalidTag", KeyError))
ODD = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError, *OTHERS)
Json = dict[str, Any]
Frame = tuple[Any, ...]
Pack = tuple[Path, int, bytes, bytes]  # where it is, size, how it begins, key of its frames: empty in the clear


class Fault(Exception):
    """The exit code and, in one line, what is wrong."""


def need(sound: object, what: str, code: int = 4) -> None:
    """Raise `Fault` unless `sound`."""
    if not sound:
        raise Fault(code, what)


def unzstd(stored: bytes, raw: int) -> bytes:
    """One frame and nothing behind it; the length that it declares is compared before anything is allocated."""
    need(ZSTD, "this vault is compressed: install the package zstandard for this Python", 7)
    need(ZSTD.frame_content_size(stored) == raw, "a zstd frame declares another length")
    return bytes(ZSTD.ZstdDecompressor().decompress(stored, allow_extra_data=False))


def planes(stored: bytes, raw: int) -> bytes:
    """Bytes of equal significance together; perhaps each element rotated left by a bit, or folded."""
    need(len(stored) > 2 and stored[0] in (2, 4, 8) and stored[1] < 3, "planes of no known kind")
    width, count, data, at = stored[0], raw // stored[0], bytearray(raw), 2 + 4 * stored[0]
    for plane, length in enumerate(struct.unpack_from(f"<{width}I", stored.ljust(at), 2)):
        data[plane : count * width : width] = decode(int(length != count), stored[at : at + length], count)
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
    coded, data = stored[start : len(stored) - rest], bytearray(raw - rest)
    places = decode(int(len(coded) != raw // width), coded, raw // width)
    sound = len(stored) >= start + rest and max(places, default=0) <= stored[1]
    need(sound, "a palette that ends before its values do, or without the value that an element has")
    for byte in range(width):
        data[byte::width] = places.translate(stored[2 + byte : start : width].ljust(256))
    return bytes(data) + stored[len(stored) - rest :]


CODECS = {0: lambda stored, _: stored, 1: unzstd, 3: planes, 4: palette}
CODECS[2] = lambda stored, raw: (stored * (raw // len(stored) + 1))[:raw] if 1 <= len(stored) <= 8 else b""


def decode(codec: int, stored: bytes, raw: int, digest: str = "") -> bytes:
    """Exactly `raw` bytes, proven by their BLAKE3 where it is known and can be had."""
    need(codec in CODECS, f"codec {codec} is not known to this reader")
    data = bytes(CODECS[codec](stored, raw))
    need(len(data) == raw, f"a frame {digest} of {len(data)} bytes where {raw} were promised")
    need(not digest or BLAKE3 is None or BLAKE3.blake3(data).hexdigest() == digest, f"not the bytes of frame {digest}")
    return data


def derive(key: bytes, salt: str, purpose: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869)."""
    return hmac.digest(hmac.digest(bytes.fromhex(salt), key, "sha256"), purpose + b"\1", "sha256")


def canonical(data: bytes) -> Json:
    """The object that `data` is the canonical JSON of; a number beyond 20 digits is cut, and so seen as none."""
    value = json.loads(data, parse_int=lambda digits: int(digits[:20]))
    need(isinstance(value, dict) and COMPACT(value).encode() == data, "not canonical JSON")
    return dict(value)


def natural(*values: Any) -> None:
    """Refuse what are no whole numbers from 0 up."""
    need(all(type(value) is int and value >= 0 for value in values), "not a number from 0 up")


def signer(text: str) -> bytes:
    """The 32 bytes of a public key `ed25519:…`; `ValueError` for anything else."""
    if not text.startswith("ed25519:") or len(key := base64.b64decode(text[8:], validate=True)) != 32:
        raise ValueError(text)
    return key


def is_signed(message: bytes, signatures: list[bytes], trusted: list[bytes]) -> bool:
    """Whether one of the trusted keys signed this, or there are none."""
    for key, signature in ((key, signature) for key in trusted for signature in signatures):
        with suppress(FORGED.InvalidSignature):
            ED25519.Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
            return True
    return not trusted


def run_key(vault: Json, key: str) -> bytes:
    """The secret in the newest generation of a run key, the one that counts, proven by its id; none for a mere list."""
    need(re.fullmatch("[0-9a-f]{32}", key), f"{key}: no id of a run key")
    found = sorted(path for path in vault["root"].glob(f"keys/{key}/*") if WRAPPED.fullmatch(path.name))
    need(found, f"run key {key} is gone")
    path, digest = found[-1], hashlib.sha256(found[-1].read_bytes()).hexdigest()
    need(path.stem.endswith(digest[:8]), f"{path}: not the bytes that its name promises")
    if path not in vault["secrets"] and not vault["brief"]:
        need(vault["identity"], "this vault is sealed: give --identity FILE, or the key in DR_IDENTITY", 7)
        command = ["env", "age", "--decrypt", "--identity", vault["identity"], str(path)]  # env tells if age is missing
        text = os.environ.get("DR_IDENTITY", "").encode()
        done = subprocess.run(command, input=text, capture_output=True, check=False)
        need(done.returncode == 0, f"{path} does not open: {done.stderr.decode(errors='replace')}", 7)
        right = derive(done.stdout, "", b"dr/1 check")[:16].hex() == key
        need(right, f"{path}: not the run key that its name promises")
        vault["secrets"][path] = done.stdout
    return bytes(vault["secrets"].get(path, b""))


def load(vault: Json, path: Path) -> tuple[Json, Json, list[Pack]]:
    """Summary, body and packs of a point in which everything holds that must before a byte of it is restored."""
    need(path.is_file() and path.stat().st_size <= MAX_BODY, f"{path}: no manifest")
    end = 44 + int.from_bytes((data := path.read_bytes())[8:12], "little")
    need(data[:8] == b"DRMANI\0\1" and end <= len(data), "not a manifest of this format, or cut off")
    need(hashlib.sha256(data[44:end]).digest() == data[12:44], "the envelope does not have its digest")
    envelope, stored, sealed = canonical(data[44:end]), data[end:], vault["sealed"]
    payload = base64.b64decode(envelope["payload"], validate=True)
    signatures = [base64.b64decode(item["sig"], validate=True) for item in envelope["signatures"]]
    message = f"DSSEv1 {len(TYPE)} {TYPE} {len(payload)} ".encode() + payload
    need(is_signed(message, signatures, vault["trusted"]), "signed by nobody who is trusted")
    facts, keys, packs = (summary := canonical(payload))["body"], summary.get("keys", []), list[Pack]()
    natural(summary["format"], facts["raw"], facts["codec"], facts["seal"], *(size for _, size in summary["packs"]))
    named = (envelope["payloadType"], summary["format"], summary["asset"], summary["point"], facts["seal"], bool(keys))
    need(named == (TYPE, 1, path.parent.name, path.stem, sealed, sealed), "of another point, type, format or sealing")
    sound = hashlib.sha256(stored).hexdigest() == facts["sha256"] and facts["raw"] <= MAX_BODY
    need(sound, "the body does not have its digest, or is larger than any is")
    for name, size in summary["packs"]:
        need(
            re.fullmatch("[0-9a-f]{64}", name) and size <= MAX_PACK, "a pack that has no name, or is larger than any is"
        )
        where = vault["root"] / "packs" / name[:2] / name
        need(where.is_file() and where.stat().st_size == size, f"pack {name} is missing or not {size} bytes long")
        packs.append((where, size, b"DRPACK\0\1", b""))
    secrets = {key: run_key(vault, key) for key in keys}
    if vault["brief"]:
        return summary, {}, packs
    if sealed:
        bound = COMPACT({name: (summary | facts)[name] for name in ("asset", "point", "codec", "raw")}).encode()
        key = derive(secrets[facts["key"]], facts["salt"], b"dr/1 body")
        stored = AEAD.AESGCM(key).decrypt(bytes(12), stored, bound)
    body = canonical(decode(facts["codec"], stored, facts["raw"]))
    need(("seals" in body) == sealed and len(body.get("seals", packs)) == len(packs), "packs of another sealing")
    for number, (place, salt) in enumerate(body.get("seals", [])):
        natural(place)
        head, key = b"DRPACK\0\2" + bytes.fromhex(keys[place] + salt), derive(secrets[keys[place]], salt, b"dr/1 pack")
        packs[number] = (*packs[number][:2], head, key)
    check_files(summary, packs, body)
    check_tree(body)
    return summary, body, packs


def check_files(summary: Json, packs: list[Pack], body: Json) -> None:
    """Frames lie in their packs and cover their files; sums are right; tensors lie in their files."""
    places, files = dict[tuple[int, int], int](), body["files"] + body["attachments"]
    for file in files:
        for pack, offset, length, raw, codec, seal, _ in file["frames"]:
            natural(pack, offset, length, raw, codec, seal)
            inside = pack < len(packs) and offset + length <= packs[pack][1] and seal == bool(packs[pack][3])
            sound = codec in CODECS and 0 < length <= MAX_RAW and 0 < raw <= MAX_RAW
            need(inside and sound, f"{file['path']}: a frame outside its pack, of no right size, codec or seal")
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


def open_frame(pack: Pack, frame: Frame, stored: bytes) -> bytes:
    """The raw bytes of a frame; a sealed one opens at its own place alone, and as what it was sealed as."""
    (_, _, head, key), (offset, _, raw, codec, _, digest) = pack, frame
    if key:
        bound = struct.pack("<8sQHI", head, offset, codec, raw)
        stored = AEAD.AESGCM(key).decrypt(offset.to_bytes(12, "big"), stored, bound)
    return decode(codec, stored, raw, digest)


def check_pack(pack: Pack, frames: set[Frame]) -> set[Frame]:
    """The frames of a pack that is proven whole: its name, its table, those frames and, in the clear, all."""
    (where, size, head, key), listed = pack, set[Frame]()
    data, at, end = where.read_bytes(), len(head), size - FOOTER.size
    need(hashlib.sha256(data).hexdigest() == where.name, f"{where}: the bytes do not have the digest that names them")
    count, version, digest, magic = FOOTER.unpack(data[end:])
    start = end - count * ENTRY.size - 16 * bool(key)
    sound = data.startswith(head) and (version, magic) == (1 + bool(key), b"DRPACKND") and start >= at
    need(sound and hashlib.sha256(data[start:end]).digest() == digest, f"{where}: not a pack of this format, or seal")
    for chunk, codec, seal, reserved, raw, length in ENTRY.iter_unpack(b"" if key else data[start:end]):
        need(reserved == seal == 0 < raw <= MAX_RAW and 0 < length <= start - at, f"{where}: an entry is not sound")
        listed.add((at, length, raw, codec, seal, chunk.hex()))
        at += length
    need(key or (at == start and frames <= listed), f"{where}: the frames do not fill it, or are others")
    for frame in listed | frames:
        open_frame(pack, frame, data[frame[0] : frame[0] + frame[1]])
    return listed | frames


def prove(packs: list[Pack], body: Json, known: dict[Pack, set[Frame]]) -> dict[Pack, set[Frame]]:
    """What is `known` now that the packs of a point are proven whole and hold its frames; nothing is read again."""
    wanted = {pack: set[Frame]() for pack in packs}
    for number, *frame in (frame for file in body["files"] + body["attachments"] for frame in file["frames"]):
        wanted[packs[number]].add(tuple(frame))
    todo = {pack: frames for pack, frames in wanted.items() if pack not in known or not frames <= known[pack]}
    return known | {pack: known.get(pack, set()) | check_pack(pack, frames) for pack, frames in todo.items()}


def survey(vault: Json, paths: list[Path], *, deep: bool) -> int:
    """One line a point; `deep` proves its packs, each once. 4 when one is not whole."""
    known, code = dict[Pack, set[Frame]](), 0
    for path in paths:
        try:
            summary, body, packs = load(vault, path)
            known = prove(packs, body, known) if deep else known
            told = f"{summary['created_at']} {summary['files']} files {summary['logical_bytes']} bytes{' whole' * deep}"
        except (Fault, *ODD) as error:
            code, what = error.args if isinstance(error, Fault) else (4, f"does not parse or open: {error!r}")
            need(code == 4, what, code)
            told = f"DAMAGED: {what}"
        print(path.parent.name, path.stem, told.encode("unicode_escape").decode())
    return code


def fill(packs: list[Pack], body: Json, to: Path) -> None:
    """Write the tree: links after all files, so that none is written through one; facts of folders last."""
    folders = sorted(body["directories"], key=lambda entry: len(entry["path"]) * (entry["path"] != "."))
    for folder in folders:
        (to / folder["path"]).mkdir(mode=0o700, exist_ok=folder["path"] == ".")
    for file in body["files"]:
        sums = [hashlib.sha256(), *([BLAKE3.blake3()] if BLAKE3 else [])]
        with (to / file["path"]).open("xb") as out:
            for number, *frame in file["frames"]:
                with packs[number][0].open("rb") as pack:
                    pack.seek(frame[0])
                    data = open_frame(packs[number], tuple(frame), pack.read(frame[1]))
                out.write(data)
                _ = [each.update(data) for each in sums]
            out.flush()
            os.fsync(out.fileno())
        sound = [each.hexdigest() for each in sums] == [file["sha256"], file["blake3"]][: len(sums)]
        need(sound, f"{file['path']}: the whole does not have its digest")
    for link in body["links"]:
        (to / link["path"]).symlink_to(link["target"])
    for entry in body["files"] + body["links"] + folders[::-1]:
        if "target" not in entry:
            (to / entry["path"]).chmod(entry["mode"])
        os.utime(to / entry["path"], ns=(entry["mtime_ns"],) * 2, follow_symlinks=False)


def restore(vault: Json, path: Path, target: Path) -> None:
    """The tree of a point as `target`, which must be absent or an empty directory: all of it or nothing."""
    empty = target.is_dir() and not target.is_symlink() and not any(target.iterdir())
    need(empty or not os.path.lexists(target), f"{target}: in the way", 7)
    need(target.parent.is_dir(), f"{target.parent}: no such directory", 5)
    need(not target.resolve().is_relative_to(vault["root"].resolve()), f"{target}: lies in the vault", 7)
    _, body, packs = load(vault, path)
    _ = BLAKE3 or prove(packs, body, {})
    with TemporaryDirectory(prefix=".restoring-", dir=target.parent, ignore_cleanup_errors=True) as staging:
        fill(packs, body, Path(staging))
        Path(staging).rename(target)


def run(asked: argparse.Namespace) -> int:
    """Do what was asked; the exit code."""
    root, what, given = Path(asked.vault), asked.command, asked.identity or os.environ.get("DR_IDENTITY")
    need((root / "vault.json").is_file(), f"{root}: no vault: it holds no vault.json", 5)
    facts = canonical((root / "vault.json").read_bytes())
    known = type(facts.get("format")) is int and facts["format"] == 1 and facts.get("encryption") in ("none", "sealed")
    need(known, f"{root}: not a vault of format 1")
    sealed = facts["encryption"] == "sealed"
    trusted = asked.trusted or [signer(text) for text in facts.get("signers", [])]
    need(sealed or not given, "in the clear, though an identity is given: it was replaced, or needs none")
    need(ED25519 or not (sealed or trusted), "sealed or signed: install the package cryptography for this Python", 7)
    vault = {"root": root, "sealed": sealed, "trusted": trusted, "identity": asked.identity or (given and "-")}
    vault |= {"secrets": {}, "brief": sealed and not given and what == "list"}
    found = sorted(p for p in root.glob("points/*/*.manifest") if POINT.fullmatch(p.relative_to(root).as_posix()))
    paths = [p for p in found if asked.asset in (None, p.parent.name) and asked.point in (None, p.stem)]
    need(paths or what == "list", f"{root}: no such point, or none at all", 5)
    if what == "restore":
        restore(vault, paths[-1], Path(asked.to).absolute())
    return survey(vault, paths[-1:] if asked.to else paths, deep=what == "verify")


def main(arguments: list[str] | None = None) -> int:
    """The command line; one line on standard error for what is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("vault", help="directory that holds vault.json")
    parser.add_argument("command", choices=("list", "restore", "verify"))
    parser.add_argument("asset", nargs="?")
    parser.add_argument("--point", help="the newest if none is named")
    parser.add_argument("--to", help="directory to make, or an empty one")
    parser.add_argument("--identity", help="file of the age key that opens a sealed vault; else DR_IDENTITY is the key")
    parser.add_argument("--trusted", type=signer, action="append", help="ed25519:… that signed; else vault.json says")
    asked = parser.parse_args(arguments)
    if (asked.command == "restore") != bool(asked.to) or (asked.to and not asked.asset):
        parser.error("restore, and it alone, takes an ASSET and --to DIR")
    try:
        return run(asked)
    except (Fault, OSError, *ODD) as error:
        odd = (6, str(error)) if isinstance(error, OSError) else (4, f"does not parse or open: {error!r}")
        code, what = error.args if isinstance(error, Fault) else odd
    print(f"error: {asked.vault}:", what.encode("unicode_escape").decode(), file=sys.stderr)
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
