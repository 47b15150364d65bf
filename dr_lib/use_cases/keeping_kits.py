"""The recovery kit of each vault: making it, storing it, seeing how it stands."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from dr_lib import __version__
from dr_lib.catalog.answers import kept_in, open_ones, open_or_raise, raise_first
from dr_lib.errors import DrError, NotFound, Refused, UsageError
from dr_lib.format.canonical import time_text
from dr_lib.model.kit import KitState
from dr_lib.model.region import Role
from dr_lib.progress import SILENT, Progress
from dr_lib.telemetry import workflow
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.wiring import shelf_folder

if TYPE_CHECKING:
    from dr_lib.vault.vault import Vault

NO_KIT = "no recovery kit was written"


class KeepingKits(OverConfig):
    """The recovery kit of each vault."""

    @workflow("build-kit")
    def build_kit(self, regions: Sequence[str] | None = None, progress: Progress = SILENT) -> Document:
        """Make the kit of this program, sign it, and store it in the regions whose own is another.

        `{"kit": {"sha256", "bytes"}, "regions": [{"region", "key", "stored"}]}`. Idempotent. `Refused` (7) where a
        signed vault's signing key is not here; an error of one region is raised when the others had their turn.
        """
        from dr_lib.kit.shelf import made

        names = [self.config.region(name).name for name in regions or self.config.regions]
        unsigned = made(shelf_folder(self._wiring.environ), progress)
        answers = self._wiring.answers(list(self.config.regions))
        signed = _same_elsewhere(unsigned, open_ones(answers, list(answers))) or self._signed(unsigned)
        failed: list[DrError] = []
        done: list[Document] = []
        for name, answer in self._wiring.answers(names, Role.WRITER).items():
            with kept_in(failed):
                done.append({"region": name, **_stored(open_or_raise(answer), unsigned, signed)})
        raise_first(failed)
        return {"kit": {"sha256": hashlib.sha256(signed).hexdigest(), "bytes": len(signed)}, "regions": done}

    def kits(self) -> Document:
        """How the kit of every region stands. `{"regions": [{"region", "key", "state", "why", …}], "ok": bool}`."""
        from dr_lib.vault.kits import examine_kit

        rows: list[Document] = []
        for name, answer in self._wiring.answers(list(self.config.regions)).items():
            try:
                rows.append(kit_document(examine_kit(open_or_raise(answer))))
            except DrError as error:
                rows.append({"region": name, "state": "unknown", "why": str(error)})
        return {"regions": rows, "ok": all(row["state"] == "whole" for row in rows)}

    def save_kit(self, target: Path, region: str | None = None) -> Document:
        """Write the newest kit of a region (the first that has a whole one) to a file that is not there yet."""
        from dr_lib.vault.kits import newest_kit, read_kit

        names = [self.config.region(region).name] if region else list(self.config.regions)
        failed: list[DrError] = []
        for name, answer in self._wiring.answers(names).items():
            with kept_in(failed):
                vault = open_or_raise(answer)
                found = newest_kit(vault)
                if found is not None:
                    data, facts = read_kit(vault, found)
                    _write(target, data)
                    digest = hashlib.sha256(data).hexdigest()
                    return {"region": name, "key": found.key, "sha256": digest, "signed_by": list(facts.signed_by)}
        raise_first(failed)
        raise NotFound("no region holds a recovery kit", hint="drctl kit build")

    def _new_kit(self, regions: Sequence[str]) -> tuple[bytes | None, str]:
        """A signed kit for the new vaults of `regions`, or why there is none. Nothing is fetched for it.

        It is that of the other regions, to the last byte, where they have it already: so that each can heal another.
        """
        from dr_lib.kit.shelf import at_hand

        try:
            unsigned = at_hand(shelf_folder(self._wiring.environ))
            if unsigned is None:
                return None, f"{NO_KIT}: none was made on this machine yet; `drctl kit build` makes it and stores it"
            others = [name for name in self.config.regions if name not in regions]
            known = _same_elsewhere(unsigned, open_ones(self._wiring.answers(others), others))
            return known or self._signed(unsigned), ""
        except (Refused, UsageError) as error:
            return None, f"{NO_KIT}: {error.what}; {error.hint}"

    def _signed(self, unsigned: bytes) -> bytes:
        from dr_lib.format.kit import sign

        keys = self._wiring.keys
        if keys.trusted and keys.signer is None:
            hint = "run `drctl kit build` where it is: on a machine that backs up"
            raise Refused("the signing key is not here, and these vaults are signed", hint=hint)
        return sign(unsigned, __version__, self._wiring.clock(), keys.signer)


def kit_document(state: KitState) -> Document:
    """A kit's state as a document; `state` is whole, damaged, outdated or missing."""
    facts = state.facts
    word = "missing" if not state.key else "damaged" if facts is None else "outdated" if state.problem else "whole"
    told = asdict(facts) | {"made_at": time_text(facts.made_at), "signed_by": list(facts.signed_by)} if facts else {}
    own = {"region": state.region, "state": word, "why": state.problem, "key": state.key, "bytes": state.size}
    return {**told, **own, "sha256": state.sha256}


def _same_elsewhere(unsigned: bytes, vaults: Sequence[Vault]) -> bytes | None:
    """This kit as one of the vaults has it, signature and all; what does not answer or is damaged has none."""
    from dr_lib.vault.kits import newest_kit, read_kit

    wanted = hashlib.sha256(unsigned).hexdigest()
    for vault in vaults:
        with kept_in([]):
            name = newest_kit(vault)
            data, facts = read_kit(vault, name) if name is not None else (b"", None)
            if facts is not None and facts.sha256 == wanted:
                return data
    return None


def _stored(vault: Vault, unsigned: bytes, signed: bytes) -> Document:
    from dr_lib.vault.kits import examine_kit, store_kit

    state = examine_kit(vault)
    if state.is_whole and state.facts is not None and state.facts.sha256 == hashlib.sha256(unsigned).hexdigest():
        return {"key": state.key, "stored": False}
    return {"key": store_kit(vault, signed), "stored": True}


def _write(target: Path, data: bytes) -> None:
    try:
        with target.open("xb") as out:
            out.write(data)
    except FileExistsError as error:
        raise Refused("there is a file of that name", where=str(target), hint="name another one") from error
    except OSError as error:
        raise UsageError(f"it cannot be written: {error.strerror}", where=str(target)) from error
    target.chmod(0o755)
