"""OpenSSF model signatures over a directory, by the library model-signing, which nothing else here touches.

Specification: https://github.com/ossf/model-signing-spec. A signature covers the names and contents of all files but
itself, git's own (`.git`, `.gitattributes`, `.github`, `.gitignore`) and those that its signer left out by name. Modes,
times, links and empty directories are not covered.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dr_lib.errors import AlreadyExists, IntegrityError, NotFound, UsageError
from dr_lib.model.asset import SignaturePolicy

if TYPE_CHECKING:
    from model_signing.hashing import Config as Hashing
    from model_signing.verifying import Config as Verifying

SIGNATURE: Final = "model.sig"
"""The signature's name, at the root of what it signs, as the library's own command has it."""
MAX_SIGNATURE_BYTES: Final = 256 << 20
"""Some million files. Checked before the library reads it whole."""
_DIGESTS: Final = r": Expected .*?(?=, ['\"](?:Hash mismatch|Extra|Missing)|\]$)"
_LEAST_SHARD: Final = 1 << 20
_HASHES: Final = {"sha256": "sha256", "blake2b": "blake2", "blake3": "blake3"}
"""What signatures call them, and what the library does."""
_CURVES: Final = "the key must be one of the curves P-256, P-384 and P-521, in PEM, without a password"


def sign(directory: Path, key: Path) -> Path:
    """Sign every file below `directory` with the private key at `key`; the new `model.sig` in it.

    Raises `NotFound` (5) without a directory, `AlreadyExists` (7) when one is signed already, and `UsageError` (2) for
    an unfit key and for a tree that cannot be signed (it holds a link). Nothing is written unless all was read.
    """
    from model_signing import signing

    target = _inside(directory) / SIGNATURE
    if target.exists():
        raise AlreadyExists("the directory is signed already", where=str(target), hint="remove it to sign again")
    with _unfit(key):
        signer = signing.Config().use_elliptic_key_signer(private_key=key)
    with tempfile.TemporaryDirectory(prefix="dr-signing-") as folder:
        made = Path(folder) / SIGNATURE
        try:
            signer.set_hashing_config(_hashing({})).sign(directory, made)
        except ValueError as error:
            hint = "links cannot be signed: copy what they lead to"
            raise UsageError(f"the directory cannot be signed: {error}", where=str(directory), hint=hint) from error
        with target.open("xb") as file:
            file.write(made.read_bytes())
    return target


def verify(directory: Path, policy: SignaturePolicy) -> None:
    """Check that `model.sig` in `directory` was made by whom `policy` names, over exactly the files that are there.

    Raises `IntegrityError` (4) when not, also for a missing signature; `NotFound` (5) without a directory;
    `UsageError` (2) for unfit keys or certificates of ours; `OSError` when a file cannot be read. Reads every file.
    """
    signature = _inside(directory) / SIGNATURE
    hint = "somebody changed the files or the signature, or another key signed; trust neither before you know which"
    if not signature.is_file():
        raise missing(str(directory))
    verifier = _verifier(policy)
    try:
        # The library prints what it thinks of old signatures, and stdout is for one JSON document.
        with contextlib.redirect_stdout(sys.stderr):
            verifier.set_hashing_config(_hashing(_serialization(signature))).verify(directory, signature)
    except OSError:
        raise
    except Exception as error:
        what = f"the model signature does not hold: {_reason(error)}"
        raise IntegrityError(what, where=str(signature), hint=hint) from error


def _reason(error: Exception) -> str:
    """The library's words, without the digests."""
    said = re.sub(_DIGESTS, "", str(error), flags=re.DOTALL)
    return f"{said:.500}" or type(error).__name__


def missing(where: str) -> IntegrityError:
    """The error for what should be signed and is not."""
    hint = f"put its {SIGNATURE} back; if it was never signed, take `signature` out of the asset"
    return IntegrityError(f"there is no {SIGNATURE}, and the configuration demands one", where=where, hint=hint)


def _inside(directory: Path) -> Path:
    if not directory.is_dir():
        raise NotFound("there is no such directory", where=str(directory), hint="name a restored model's directory")
    return directory


def _verifier(policy: SignaturePolicy) -> Verifying:
    from model_signing import verifying

    if policy.public_key is not None:
        with _unfit(policy.public_key):
            return verifying.Config().use_elliptic_key_verifier(public_key=policy.public_key)
    with _unfit(policy.certificate_chain[0], "the certificates must be PEM, roots included"):
        return verifying.Config().use_certificate_verifier(certificate_chain=policy.certificate_chain)


@contextlib.contextmanager
def _unfit(path: Path, hint: str = _CURVES) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        yield
    except (OSError, ValueError, TypeError, AttributeError, UnsupportedAlgorithm) as error:
        raise UsageError(f"this cannot be used for model signatures: {error}", where=str(path), hint=hint) from error


def _hashing(said: dict[str, Any]) -> Hashing:
    """How files are hashed. `said` is not proven yet; the library compares what comes of it with what was signed."""
    from model_signing import hashing

    config = hashing.Config()
    algorithm: Any = _HASHES.get(str(said.get("hash_type")), "sha256")
    shard = said.get("shard_size")
    if said.get("method") == "shards" and isinstance(shard, int | float) and _LEAST_SHARD <= shard < 1 << 63:
        config.use_shard_serialization(hashing_algorithm=algorithm, shard_size=int(shard))
    else:
        config.use_file_serialization(hashing_algorithm=algorithm)
    return config.set_ignored_paths(paths=[SIGNATURE]).set_allow_symlinks(said.get("allow_symlinks") is True)


def _serialization(signature: Path) -> dict[str, Any]:
    """What the signature says of how it was made; nothing of it is believed."""
    if signature.stat().st_size > MAX_SIGNATURE_BYTES:
        raise ValueError(f"it has more than {MAX_SIGNATURE_BYTES:,} bytes")
    bundle = json.loads(signature.read_bytes())
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    said = statement.get("predicate", {}).get("serialization", {})
    return said if isinstance(said, dict) else {}
