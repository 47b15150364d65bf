"""This project, as `drctl` is used: one region on the S3 server, `drctl init` before, a process for each command."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import dr_lib
from benchmarks.peers.measuring import Command
from benchmarks.peers.tool import Place, Stored
from dr_lib.crypto.age import new_identity
from dr_lib.crypto.keyset import new_writer_key
from dr_lib.crypto.signing import new_signing_key, signer

ROOT = Path(dr_lib.__file__).parents[1]
ASSET = "thing"
PREFIX = "DR_BENCH"
CONTENT = "packs"


@dataclass(frozen=True)
class Protection:
    """What dr.yaml says about sealing, and the variables that it names."""

    document: dict[str, Any]
    environ: dict[str, str] = field(default_factory=dict)


def clear() -> Protection:
    """Nothing is sealed or signed."""
    return Protection({"encryption": "none", "signing": "none"})


@cache
def sealed() -> Protection:
    """Sealed to two recipients and signed, with every key at hand: fresh ones, the same throughout a run."""
    (identity, operations), (_, escrow), signing = new_identity(), new_identity(), new_signing_key()
    document = {"encryption": {"recipients": [operations, escrow]}, "signing": {"trusted": [signer(signing).public]}}
    return Protection(document, {"DR_IDENTITY": identity, "DR_WRITER_KEY": new_writer_key(), "DR_SIGNING_KEY": signing})


@dataclass(frozen=True)
class Ours:
    """This project in one of two ways."""

    name: str
    protect: Callable[[], Protection]

    def missing(self) -> str | None:
        """It is always here."""
        return None

    def version(self) -> str:
        """As `drctl --version` tells it."""
        return f"{self.name}: dr-lib {dr_lib.__version__}, defaults"

    def setup(self, place: Place) -> Sequence[Command]:
        """Write dr.yaml (JSON is YAML) and make the vault."""
        document = {
            "version": 1,
            "regions": {
                "here": {
                    "url": f"s3://{place.bucket}",
                    "endpoint": place.server.endpoint,
                    "credentials": f"env:{PREFIX}",
                }
            },
            "assets": {ASSET: {"kind": place.kind, "source": place.source.as_uri(), "regions": ["here"]}},
        }
        _config(place).write_text(json.dumps(document | self.protect().document))
        return [self._drctl(place, "init")]

    def backup(self, place: Place) -> Command:
        """`drctl backup`."""
        return self._drctl(place, "backup", ASSET)

    def restore(self, place: Place, target: Path) -> Command:
        """`drctl restore`."""
        return self._drctl(place, "restore", ASSET, "--to", str(target))

    def restored(self, place: Place, target: Path) -> Path:
        """The target is the tree."""
        del place
        return target

    def stored(self, place: Place) -> Stored:
        """Everything in the bucket; what lies outside the packs is metadata."""
        sizes = place.server.sizes(place.bucket)
        return Stored(sum(sizes.values()), sum(size for name, size in sizes.items() if name != CONTENT))

    def _drctl(self, place: Place, *arguments: str) -> Command:
        argv = (sys.executable, "-m", "dr_lib.cli", *arguments, "--config", str(_config(place)), "--json")
        keys = {
            f"{PREFIX}_ACCESS_KEY_ID": place.server.access_key,
            f"{PREFIX}_SECRET_ACCESS_KEY": place.server.secret_key,
        }
        return Command(argv, keys | self.protect().environ, ROOT)


def _config(place: Place) -> Path:
    return place.folder / "dr.yaml"
