"""List and restore a vault of format 1 on a bare machine, without the program that wrote it.

It follows FORMAT.md. Needs Python 3.10 and the decoders blake3 and zstandard; cryptography where signed or sealed;
pyrage and an age identity to restore what is sealed. A restore proves all that it writes: do one to check a vault.
Exits with 0 done, 2 wrong command, 4 damaged or forged bytes, 5 not there, 6 the machine failed, 7 refused.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import struct
import sys
from importlib import import_module as decoder
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

TYPE, MAX_RAW, MAX_PACK, MAX_BODY = "application/vnd.dr.point.v1+json", 64 << 20, 256 << 20, 1 << 30
MAX_NAME, MAX_PATH, MAX_MODE, MAX_TIME = 255, 4095, 0o1777, 1 << 63
POINT = re.compile(r"points/[a-z0-9-]+/[0-9]{8}T[0-9]{12}Z-[0-9a-f]{8}\.manifest")
WORD = re.compile(r".+Z-(quarantine|clearance)-(.+)-[0-9a-f]{8}\.json")
WRAPPED = re.compile(r"[0-9]{4}-[0-9a-f]{8}-[0-9a-f]{8}\.age")
COMPACT = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode
Json = dict[str, Any]
Pack = tuple[Path, bytes]  # where it is, key of its frames: empty in the clear


class Fault(Exception):
    """The exit code and, in one line, what is wrong."""


def need(sound: object, what: str, code: int = 4) -> None:
    """Raise `Fault` unless `sound`."""
    if not sound:
        raise Fault(code, what)


def attempt(call: Any, *arguments: object) -> tuple[int, Any]:
    """The exit code of a call, and what it returned or what is wrong."""
    try:
        return 0, call(*arguments)
    except Fault as fault:
        return int(fault.args[0]), fault.args[1]
    except ImportError as error:
        return 7, f"install the package {error.name} for this Python"
    except (OSError, MemoryError) as error:
        return 5 if isinstance(error, FileNotFoundError) else 6, str(error)
    except Exception as error:  # noqa: BLE001 - whatever odd bytes make a parser or a decoder raise is damage
        return 4, f"does not parse or open: {error!r}"


def unzstd(stored: bytes, raw: int) -> bytes:
    """One frame and nothing behind it; the length that it declares is compared before anything is allocated."""
    zstd = decoder("zstandard")
    need(zstd.frame_content_size(stored) == raw, "a zstd frame declares another length")
    return bytes(zstd.ZstdDecompressor().decompress(stored, allow_extra_data=False))


def planes(stored: bytes, raw: int) -> bytes:
    """Bytes of equal significance together; perhaps each element rotated left by a bit (1), or folded (2)."""
    width, turn, count, at = stored[0], stored[1], raw // stored[0], 2 + 4 * stored[0]
    data = bytearray(count * width)
    for plane, length in enumerate(struct.unpack_from(f"<{width}I", stored, 2)):
        data[plane::width] = decode(int(length != count), stored[at : at + length], count)
        at += length
    if turn:
        whole = int.from_bytes(data, "little")
        low = whole & int.from_bytes((b"\1" + bytes(width - 1)) * count, "little")
        turned = low << 8 * width - 1 if turn == 1 else (low << 8 * width) - low  # the highest bit alone, or all bits
        data[:] = ((whole ^ low) >> 1 ^ turned).to_bytes(count * width, "little")
    return bytes(data) + stored[at:]


def palette(stored: bytes, raw: int) -> bytes:
    """Up to 256 values, and for each element the number of its own."""
    width, start, end = stored[0], 2 + (stored[1] + 1) * stored[0], len(stored) - raw % stored[0]
    places = decode(int(end - start != raw // width), stored[start:end], raw // width)
    return b"".join(map([stored[at : at + width] for at in range(2, start, width)].__getitem__, places)) + stored[end:]


CODECS = {0: lambda stored, _: stored, 1: unzstd, 3: planes, 4: palette}
CODECS[2] = lambda stored, raw: (stored * (raw // len(stored) + 1))[:raw]


def decode(codec: int, stored: bytes, raw: int) -> bytes:
    """Exactly `raw` bytes; which ones, a digest has to tell."""
    data = bytes(CODECS[codec](stored, raw))
    need(len(data) == raw, f"{len(data)} bytes where {raw} were promised")
    return data


def derive(key: bytes, salt: str, purpose: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869)."""
    return hmac.digest(hmac.digest(bytes.fromhex(salt), key, "sha256"), purpose + b"\1", "sha256")


def unseal(key: bytes, number: int, stored: bytes, bound: bytes) -> bytes:
    """What was sealed under this key as that number, with this bound to it."""
    aead = decoder("cryptography.hazmat.primitives.ciphers.aead")
    return bytes(aead.AESGCM(key).decrypt(number.to_bytes(12, "big"), stored, bound))


def canonical(data: bytes) -> Json:
    """The object that `data` is the canonical JSON of; a number beyond 20 digits is cut, and so seen as none."""
    value = json.loads(data, parse_int=lambda digits: int(digits[:20]))
    need(isinstance(value, dict) and COMPACT(value).encode() == data, "not canonical JSON")
    return dict(value)


def is_signed(payload: bytes, signatures: list[Json], trusted: list[str]) -> bool:
    """Whether one of the trusted keys signed this; whoever trusts nobody in particular asks for no signature."""
    message = f"DSSEv1 {len(TYPE)} {TYPE} {len(payload)} ".encode() + payload
    offered = [base64.b64decode(item["sig"], validate=True) for item in signatures]
    for text in trusted:
        key = base64.b64decode(text.removeprefix("ed25519:"), validate=True)
        public = decoder("cryptography.hazmat.primitives.asymmetric.ed25519").Ed25519PublicKey.from_public_bytes(key)
        if any(attempt(public.verify, signature, message)[0] == 0 for signature in offered):
            return True
    return not trusted


def run_key(vault: argparse.Namespace, key: str) -> bytes:
    """The secret in the newest generation of a run key, the one that counts, proven by its id."""
    found = sorted(path for path in vault.root.glob(f"keys/{key}/*") if WRAPPED.fullmatch(path.name))
    need(found, f"run key {key} is gone")
    check = hashlib.sha256(wrapped := found[-1].read_bytes()).hexdigest()[:8]
    need(found[-1].stem.endswith(check), f"{found[-1]}: not the bytes that its name promises")
    lines = [line.strip() for line in vault.identity.splitlines() if line.startswith("AGE-SECRET-KEY-1")]
    need(lines, "this vault is sealed: give --identity FILE, or the key in DR_IDENTITY", 7)
    age = decoder("pyrage")
    failed, secret = attempt(lambda: age.decrypt(wrapped, [age.x25519.Identity.from_str(line) for line in lines]))
    need(not failed, f"run key {key} does not open with this identity", 7)
    need(derive(secret, "", b"dr/1 check")[:16].hex() == key, f"run key {key}: another secret under its name")
    return bytes(secret)


def load_summary(vault: argparse.Namespace, path: Path) -> tuple[Json, bytes]:
    """Summary and stored body of a point that is genuine as far as can be told without opening it."""
    need(path.stat().st_size <= MAX_BODY, f"{path}: larger than any manifest is")
    end = 44 + int.from_bytes((data := path.read_bytes())[8:12], "little")
    need(data[:8] == b"DRMANI\0\1", "not a manifest of this format")
    need(hashlib.sha256(data[44:end]).digest() == data[12:44], "the envelope does not have its digest")
    payload = base64.b64decode((envelope := canonical(data[44:end]))["payload"], validate=True)
    need(is_signed(payload, envelope["signatures"], vault.trusted), "signed by nobody who is trusted")
    facts = (summary := canonical(payload))["body"]
    said = (envelope["payloadType"], summary["format"], summary["asset"], summary["point"], facts["seal"])
    right = (TYPE, 1, path.parent.name, path.stem, int(vault.sealed))
    same = COMPACT(said) == COMPACT(right) and bool(summary.get("keys")) == vault.sealed  # as text: true is not 1
    need(same, "of another point, type, format or sealing")
    need(hashlib.sha256(data[end:]).hexdigest() == facts["sha256"], "the body does not have its digest")
    return summary, data[end:]


def load(vault: argparse.Namespace, path: Path) -> tuple[Json, list[Pack]]:
    """Body and packs of a point in which everything holds that must before a byte of it is restored."""
    summary, stored = load_summary(vault, path)
    facts, keys, packs = summary["body"], summary.get("keys", []), list[Path]()
    for name, size in summary["packs"]:
        need(re.fullmatch("[0-9a-f]{64}", name) and size <= MAX_PACK, "a pack of no name, or larger than any is")
        packs.append(where := vault.root / "packs" / name[:2] / name)
        need(where.is_file() and where.stat().st_size == size, f"pack {name} is missing or not {size} bytes long")
    secrets = {key: run_key(vault, key) for key in keys}
    if vault.sealed:
        bound = COMPACT({name: (summary | facts)[name] for name in ("asset", "point", "codec", "raw")}).encode()
        stored = unseal(derive(secrets[facts["key"]], facts["salt"], b"dr/1 body"), 0, stored, bound)
    need(facts["raw"] <= MAX_BODY, "a body larger than any is")
    body = canonical(decode(facts["codec"], stored, facts["raw"]))
    need(len(seals := body.get("seals", [])) == len(packs) * vault.sealed, "packs of another sealing")
    derived = [derive(secrets[keys[place]], salt, b"dr/1 pack") for place, salt in seals] or [b""] * len(packs)
    check_files(summary, body, sealed=vault.sealed)
    check_tree(body)
    return body, list(zip(packs, derived, strict=True))


def check_files(summary: Json, body: Json, *, sealed: bool) -> None:
    """Frames lie in their packs and cover their files; sums are right. What they hold, their digests tell."""
    places = dict[tuple[int, int], int]()
    for file in body["files"] + body["attachments"]:
        for pack, offset, length, raw, codec, seal, _ in file["frames"]:
            inside = 0 < length <= MAX_RAW and 0 <= offset <= summary["packs"][pack][1] - length and seal == sealed
            need(inside and 0 < raw <= MAX_RAW and codec in CODECS, f"{file['path']}: a frame that cannot be")
            places[pack, offset] = length
        need(sum(frame[3] for frame in file["frames"]) == file["size"], f"{file['path']}: frames do not add up")
    sums = (len(body["files"]), sum(file["size"] for file in body["files"]), sum(places.values()))
    need(sums == (summary["files"], summary["logical_bytes"], summary["stored_bytes"]), "other sums than listed")


def check_tree(body: Json) -> None:
    """Names that stay inside, every parent listed, modes and times that a file system keeps."""
    tree, attached = body["files"] + body["directories"] + body["links"], [a["path"] for a in body["attachments"]]
    paths, folders = {entry["path"] for entry in tree}, {folder["path"] for folder in body["directories"]}
    for entry in tree + body["attachments"]:
        path, target = (entry.get(name, ".").encode("utf-8", "surrogateescape") for name in ("path", "target"))
        short = max(map(len, path.split(b"/"))) <= MAX_NAME and max(len(path), len(target)) <= MAX_PATH and target
        normal = (path == b"." or not {b"", b".", b".."} & {*path.split(b"/")}) and b"\0" not in path + target
        kept = 0 <= entry.get("mode", 0) <= MAX_MODE and -MAX_TIME <= entry["mtime_ns"] < MAX_TIME
        need(short and normal and kept, f"{entry}: leads out, or has a name, link, mode or time that cannot be")
        need((entry["path"].rpartition("/")[0] or ".") in folders, f"{entry['path']}: its parent is not listed")
    need("." in folders and len(paths) == len(tree), "no root directory, or two entries of one path")
    need(len({*attached, "."}) == len(attached) + 1 and "/" not in "".join(attached), "attachments that cannot be")


def read_frame(pack: Pack, frame: list[Any]) -> bytes:
    """The raw bytes of a frame, proven; a sealed one opens at its own place alone, and as what it was sealed as."""
    (where, key), (_, offset, length, raw, codec, _, digest) = pack, frame
    with where.open("rb") as file:
        file.seek(offset)
        stored = file.read(length)
    if key:
        stored = unseal(key, offset, stored, struct.pack("<8sQHI", b"DRPACK\0\2", offset, codec, raw))
    data = decode(codec, stored, raw)
    need(decoder("blake3").blake3(data).hexdigest() == digest, f"not the bytes of frame {digest}")
    return data


def fill(packs: list[Pack], body: Json, to: Path) -> None:
    """Write the tree: links after all files, so that none is written through one; facts of folders last."""
    folders = sorted(body["directories"], key=lambda folder: (to / folder["path"]).parts)
    for folder in folders[1:]:
        (to / folder["path"]).mkdir(mode=0o700)
    for file in body["files"]:
        whole = hashlib.sha256()
        with (to / file["path"]).open("xb") as out:
            for frame in file["frames"]:
                whole.update(data := read_frame(packs[frame[0]], frame))
                out.write(data)
            out.flush()
            os.fsync(out.fileno())
        need(whole.hexdigest() == file["sha256"], f"{file['path']}: the whole does not have its digest")
    for link in body["links"]:
        (to / link["path"]).symlink_to(link["target"])
    for link in body["links"]:  # judged where all stand, however they lead through each other
        need(Path(os.path.realpath(to / link["path"])).is_relative_to(to), f"the link {link['path']} leads out")
    for entry in body["files"] + body["links"] + folders[::-1]:
        if "target" not in entry:
            (to / entry["path"]).chmod(entry["mode"])
        os.utime(to / entry["path"], ns=(entry["mtime_ns"],) * 2, follow_symlinks=False)


def restore(vault: argparse.Namespace, path: Path, target: Path) -> None:
    """The tree of a point as `target`, which must be absent: all of it or nothing."""
    inside = target.resolve().is_relative_to(vault.root.resolve())
    need(not inside and not os.path.lexists(target), f"{target}: in the way, or lies in the vault", 7)
    body, packs = load(vault, path)
    with TemporaryDirectory(prefix=".restoring-", dir=target.parent, ignore_cleanup_errors=True) as staging:
        fill(packs, body, Path(staging).resolve())
        Path(staging).rename(target)


def run(asked: argparse.Namespace) -> None:
    """Restore what was asked for, or tell one line a point."""
    facts = canonical((asked.root / "vault.json").read_bytes())
    need(COMPACT(facts["format"]) == "1" and facts["encryption"] in ("none", "sealed"), "not a vault of format 1")
    asked.trusted, asked.sealed = asked.trusted or facts.get("signers", []), facts["encryption"] == "sealed"
    asked.identity = asked.identity.read_text() if asked.identity else os.environ.get("DR_IDENTITY", "")
    need(asked.sealed or not asked.identity, "in the clear, though an identity is given: replaced, or needs none")
    found = sorted(p for p in asked.root.glob("points/*/*") if POINT.fullmatch(p.relative_to(asked.root).as_posix()))
    last = {word[2]: word[1] for p in sorted(asked.root.glob("events/*/*")) if (word := WORD.fullmatch(p.name))}
    paths = [p for p in found if asked.asset in (None, p.parent.name) and asked.point in (None, p.stem)]
    paths = [p for p in paths if asked.point or not asked.to or last.get(p.stem) != "quarantine"]
    if asked.command == "restore":
        need(paths, "no such point, or none at all", 5)
        restore(asked, paths[-1], asked.to.absolute())
    codes = {0}
    for path in paths[-1:] if asked.to else paths:
        code, told = attempt(load_summary, asked, path)
        told = told if code else f"{told[0]['created_at']} {told[0]['files']} files {told[0]['logical_bytes']} bytes"
        print(path.parent.name, path.stem, told.encode("unicode_escape").decode(), *filter(None, [last.get(path.stem)]))
        codes.add(code)
    need(codes == {0}, "not every point is whole", max(codes))


def main(arguments: list[str] | None = None) -> int:
    """The command line; one line on standard error for what is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("root", type=Path, metavar="VAULT", help="directory that holds vault.json")
    parser.add_argument("command", choices=("list", "restore"))
    parser.add_argument("asset", nargs="?")
    parser.add_argument("--point", help="the newest that is not in quarantine if none is named")
    parser.add_argument("--to", type=Path, help="directory to make")
    parser.add_argument("--identity", type=Path, help="file of the age key of a sealed vault; else DR_IDENTITY is it")
    parser.add_argument("--trusted", action="append", help="ed25519:… that signed; else vault.json says")
    asked = parser.parse_args(arguments)
    if (asked.command == "restore") != bool(asked.to) or (asked.to and not asked.asset):
        parser.error("restore, and it alone, takes an ASSET and --to DIR")
    code, told = attempt(run, asked)
    if code:
        print(f"error: {asked.root}:", told.encode("unicode_escape").decode(), file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
