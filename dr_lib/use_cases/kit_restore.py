"""Restores with the recovery kit alone, as somebody with Python, one vault and a key would: `python -m … ASSET POINT`.

The kit is fetched from the vault, which stands for the copy that a person makes with any tool, and held against the
signers. From then on nothing of ours runs: a fresh Python without site-packages, whose environment has the vault's
credentials and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from dr_lib.clock import monotonic
from dr_lib.config.load import load_config
from dr_lib.errors import DrError, NotFound, Refused
from dr_lib.keys import SecretSource, keyset
from dr_lib.model.config import Config
from dr_lib.model.region import Role
from dr_lib.standby.answers import error_class
from dr_lib.storage.credentials import resolve
from dr_lib.storage.opening import open_store
from dr_lib.vault.kits import MISSING, newest_kit, read_kit
from dr_lib.vault.opening import open_vault

KIT: Final = "kit.pyz"
_KEPT: Final = ("HOME", "TMPDIR", "LANG")


def main() -> int:
    """Restore; prints what `drctl restore --json` would of it, or the error, and returns its exit code."""
    asset, point, root = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    try:
        document = _restored(asset, point, root)
    except DrError as error:
        said = {"type": type(error).__name__, "what": error.what, "where": error.where, "hint": error.hint}
        print(json.dumps({"error": said}))
        return error.exit_code
    print(json.dumps(document))
    return 0


def _restored(asset: str, point: str, root: Path) -> dict[str, Any]:
    started = monotonic()
    config = load_config(root / "dr.yaml")
    region = next(iter(config.regions))
    facts = _fetch(config, region, root / KIT)
    fetched = monotonic()
    target = root / "restored"
    words = ["restore", asset, "--point", point, "--to", str(target), "--with-attachments", str(root / "attachments")]
    _run(config, region, root, words)
    files = [path for path in target.rglob("*") if path.is_file() and not path.is_symlink()]
    return {
        "point": point,
        "region": region,
        "target": str(target),
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "seconds": round(monotonic() - started, 3),
        "phases": {"plan": round(fetched - started, 3), "fetch": round(monotonic() - fetched, 3)},
        "kit": facts,
    }


def _fetch(config: Config, region: str, target: Path) -> str:
    """The vault's newest kit, proven; its SHA-256."""
    keys = keyset(config.encryption, config.signing, SecretSource(os.environ, None))
    ref = config.region(region).store_as(Role.READER)
    vault = open_vault(region, open_store(ref, f"region {region}", environ=os.environ, connections=None), keys)
    name = newest_kit(vault)
    if name is None:
        raise NotFound(MISSING, where=vault.store.label)
    data, _ = read_kit(vault, name)
    target.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _run(config: Config, region: str, root: Path, words: Sequence[str]) -> None:
    ref = config.region(region).store_as(Role.READER)
    given = ["--vault", ref.url]
    environ = {name: os.environ[name] for name in _KEPT if name in os.environ}
    if ref.url.startswith("s3:"):
        given += ["--endpoint", ref.endpoint] if ref.endpoint else []
        found = resolve(ref.credentials, f"region {region}", environ=os.environ, connections=None)
        named = {"ACCESS_KEY_ID": found.access_key, "SECRET_ACCESS_KEY": found.secret_key}
        named |= {"SESSION_TOKEN": found.session_token}
        environ |= {f"AWS_{name}": value for name, value in named.items() if value}
    elif not ref.url.startswith("file:"):
        raise Refused(f"a recovery kit reads directories and s3://, not {ref.url.partition(':')[0]}:", where=region)
    if config.encryption is not None:
        key = root / "escrow.agekey"
        key.touch(mode=0o600)
        key.write_text(SecretSource(os.environ, None).text(config.encryption.identity) or "")
        given += ["--key", str(key)]
    if config.signing is not None:
        given += [word for one in config.signing.trusted for word in ("--trusted", one)]
    command = [sys.executable, "-I", "-S", str(root / KIT), *given, *words]
    done = subprocess.run(command, env=environ, cwd=root, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["it said nothing"]
        raise error_class(done.returncode)(f"the recovery kit failed: {lines[-1]}", where=f"region {region}")


if __name__ == "__main__":
    sys.exit(main())
