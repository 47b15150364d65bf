"""Restoring and smoke-testing."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dr_lib import documents
from dr_lib.catalog.answers import choose_point, open_ones, open_or_raise
from dr_lib.catalog.observe import observe
from dr_lib.clock import monotonic
from dr_lib.errors import DrError, IntegrityError
from dr_lib.format.layout import POINT_ID
from dr_lib.model.region import Role
from dr_lib.policy.choice import LATEST
from dr_lib.progress import SILENT, Progress
from dr_lib.telemetry import workflow
from dr_lib.use_cases.moments import moment
from dr_lib.use_cases.over_config import Document, OverConfig

if TYPE_CHECKING:
    from dr_lib.model.drill import Sensitivity
    from dr_lib.standby.smoke import SmokeRequest
    from dr_lib.vault.vault import Vault
    from dr_lib.workflows.restore.tensor_stream import Receiver


class Recovering(OverConfig):
    """Restoring and smoke-testing. Each imports what it needs, so that a backup does not wait for it."""

    @workflow("restore")
    def restore(
        self,
        asset: str,
        target: str,
        point: str = LATEST,
        at: str | None = None,
        region: str | None = None,
        include: Sequence[str] = (),
        attachments: str | None = None,
        progress: Progress = SILENT,
        tensor: Sequence[str] = (),
    ) -> Document:
        """Restore a point, or tensors of it, into `target`.

        With `region` only that one is asked; else damage falls over to the others. Given again after `StoreUnavailable`
        or a death it goes on where it ended, if the point is still the same: name one by its id to be sure.
        """
        from dr_lib.provenance.examination import RestoredSignature
        from dr_lib.workflows.restore.restore import restore

        started = monotonic()
        vaults, chosen, unopened = self._chosen(asset, point, at, region)
        extra = Path(attachments).absolute() if attachments else None
        place = Path(target).absolute()
        signature = RestoredSignature(self.config.asset(asset).signature, whole=not (include or tensor))
        done = restore(vaults, asset, chosen, place, progress, include, extra, tensor, inspect=signature)
        document = documents.restored_document(done, str(place), monotonic() - started)
        told = {"repairs": [*unopened, *document["repairs"]], "warnings": _distrust(vaults, asset, chosen)}
        return {**document, **told, "signature": signature.state}

    @workflow("stream-tensors")
    def stream_tensors(
        self,
        asset: str,
        receiver: Receiver,
        *,
        point: str = LATEST,
        region: str | None = None,
        names: Sequence[str] | None = None,
        file: str | None = None,
        progress: Progress = SILENT,
    ) -> Document:
        """Stream tensors of a point into `receiver` (see `dr_lib.tensors`); regions are asked as in `restore`."""
        from dr_lib.workflows.restore.restore import first_manifest
        from dr_lib.workflows.restore.tensor_stream import by_name, stream_tensors

        started = monotonic()
        vaults, chosen, unopened = self._chosen(asset, point, None, region)
        found = first_manifest(vaults, asset, chosen)
        repairs = stream_tensors(vaults, found.manifest, by_name(names, file), receiver, progress)
        seconds = round(monotonic() - started, 3)
        told = {"repairs": [*unopened, *repairs], "warnings": _distrust(vaults, asset, chosen)}
        return {"asset": asset, "point": chosen, "region": found.region, "seconds": seconds, **told}

    @workflow("smoke")
    def smoke(self, asset: str, directory: str, point: str = LATEST, *, control: bool = False) -> Document:
        """Smoke-test a restored directory against the proof that travels in a point of the asset.

        With `control` what passes is held to damaged copies of it, too; `control` of the document is None without.
        """
        from dr_lib.standby.smoke import SmokeRequest
        from dr_lib.standby.smoke import run as run_smoke
        from dr_lib.workflows.restore.restore import restore_attachments

        facts = self.config.asset(asset)
        answers = self._wiring.answers(list(facts.regions))
        known = observe(asset, answers)
        choice = choose_point(asset, known, point)
        with tempfile.TemporaryDirectory(prefix="dr-smoke-") as folder:
            proof = Path(folder) / "proof"
            restore_attachments(open_ones(answers, choice.regions), asset, choice.point.point, proof)
            request = SmokeRequest.from_asset(facts, Path(directory).absolute(), proof)
            result = run_smoke(request)
            found = self._control(request, choice.point.point) if control and result.passed else None
        told = {"asset": asset, "point": choice.point.point, **documents.smoke_document(result)}
        return told | {"control": documents.control_document(found) if found else None}

    def _control(self, request: SmokeRequest, seed: str) -> Sensitivity:
        from dr_lib.standby.control import ControlRequest, Older, control

        return control(ControlRequest(request, seed, Older("a drill alone fetches one")))

    def _chosen(self, asset: str, point: str, at: str | None, region: str | None) -> tuple[list[Vault], str, list[str]]:
        """The vaults to restore from, in order, the point's id, and what is wrong with the vaults that are damaged."""
        facts = self.config.asset(asset)
        if region is not None and POINT_ID.fullmatch(point):
            return [self._wiring.vault(region, Role.READER)], point, []
        regions = [self.config.region(region).name] if region else list(facts.regions)
        answers = self._wiring.answers(regions)
        if region is not None:
            open_or_raise(answers[region])
        choice = choose_point(asset, observe(asset, answers), point, moment(at))
        broken = [f"{e.what} [{e.where or name}]" for name, e in answers.items() if isinstance(e, IntegrityError)]
        return open_ones(answers, choice.regions), choice.point.point, broken


def _distrust(vaults: Sequence[Vault], asset: str, point: str) -> list[str]:
    """Whether the point that was restored is in quarantine; what cannot be read about it is said, too."""
    from dr_lib.vault.holds import quarantines

    warnings: list[str] = []
    for vault in vaults:
        try:
            found = quarantines(vault, asset).get(point)
        except DrError as error:
            warnings.append(f"whether {vault.region} has {point} in quarantine could not be read: {error.what}")
            continue
        if found is not None:
            return [f"{point} is in quarantine: {text}" for text in documents.reasons(found)]
    return warnings
