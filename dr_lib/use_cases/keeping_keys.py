"""Who opens the vaults, and letting others open them."""

from __future__ import annotations

from dataclasses import asdict

from dr_lib.catalog.answers import kept_in, open_or_raise, raise_first
from dr_lib.crypto import age
from dr_lib.crypto.keyset import Keyset
from dr_lib.errors import DrError, UsageError
from dr_lib.model.region import Role
from dr_lib.telemetry import workflow
from dr_lib.use_cases.over_config import Document, OverConfig
from dr_lib.vault.run_keys import NO_IDENTITY
from dr_lib.workflows.keys.rotate import Rotation, rotate
from dr_lib.workflows.keys.survey import Survey, own_recipients, problems, survey

LEFT_BEHIND = (
    "what was wrapped to other recipients before stays readable by them until those older generations are deleted; "
    "and whoever copied a run key or a backup away has it: a recipient cannot be made to forget"
)


class KeepingKeys(OverConfig):
    """Who opens the vaults, and letting others open them."""

    def list_keys(self, *, every: bool = False) -> Document:
        """Run keys of each region and who opens them; the keys here, of which nothing secret is told.

        With `every` each run key is opened, else a sample. A region that does not answer has `error` and `exit_code`.
        """
        keys = self._wiring.keys
        surveys: dict[str, Survey] = {}
        regions: list[Document] = []
        for name, answer in self._wiring.answers(list(self.config.regions)).items():
            silent: list[DrError] = []
            with kept_in(silent):
                surveys[name] = survey(open_or_raise(answer).store, keys, self.config.limits.workers, every=every)
                regions.append({"region": name, **asdict(surveys[name])})
            regions += [{"region": name, "error": str(error), "exit_code": error.exit_code} for error in silent]
        found = list(problems(keys, surveys))
        return {**_public(keys), "regions": regions, "problems": found, "ok": not found}

    @workflow("rotate-keys")
    def rotate_keys(self, region: str | None = None) -> Document:
        """Wrap every run key of a region, or of all, to the recipients of the configuration. Idempotent; reads no pack.

        `UsageError` (2) without recipients or without an identity; `PermissionDenied` (7) when the identity opens a run
        key no more. An error is raised when all other run keys and regions had their turn.
        """
        keys = self._wiring.keys
        if not keys.recipients:
            raise UsageError(
                "nothing is sealed here, or nobody is named to seal it to",
                where=str(self.config.path),
                hint="set `encryption.recipients`",
            )
        if not keys.identities:
            raise UsageError("rotating opens every run key, and there is no identity here", hint=NO_IDENTITY)
        names = [self.config.region(region).name] if region else list(self.config.regions)
        done: list[Document] = []
        failed: list[DrError] = []
        for name, answer in self._wiring.answers(names, Role.WRITER).items():
            with kept_in(failed):
                store = open_or_raise(answer).store
                rotation = rotate(store, keys.recipients, keys.identities, self.config.limits.workers)
                done.append(_rotated(name, rotation))
                failed += _told(name, rotation)
        raise_first(failed)
        warnings = [LEFT_BEHIND] if any(one["left_behind"] for one in done) else []
        return {"fingerprint": age.fingerprint(keys.recipients), "regions": done, "warnings": warnings}


def _public(keys: Keyset) -> Document:
    return {
        "recipients": list(keys.recipients),
        "fingerprint": age.fingerprint(keys.recipients) if keys.recipients else None,
        "identities": own_recipients(keys),
        "writer": keys.writer is not None,
        "signer": keys.signer.public if keys.signer else None,
        "trusted": list(keys.trusted),
    }


def _rotated(region: str, rotation: Rotation) -> Document:
    counts = {name: getattr(rotation, name) for name in ("run_keys", "rotated", "current", "left_behind")}
    return {"region": region, **counts}


def _told(region: str, rotation: Rotation) -> list[DrError]:
    """The first failure, saying how many there were and that the others are done."""
    if not rotation.failed:
        return []
    first, count = rotation.failed[0], f"{len(rotation.failed)} of {rotation.run_keys}"
    return [
        type(first)(f"{count} run keys in {region} were not rotated: {first.what}", where=first.where, hint=first.hint)
    ]
