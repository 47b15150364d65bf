"""What a smoke test is asked, and the JSON in which question and answer cross between the processes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dr_lib.errors import UsageError
from dr_lib.model.asset import Asset, AssetKind
from dr_lib.model.drill import SmokeCheck, SmokeResult
from dr_lib.model.smoke import LOADERS, PANDAS, SmokeLimits, SmokePolicy, Tolerance, is_own_loader

DEFAULT_TIMEOUT_S = 600.0
GOLDEN = "golden.json"
TABLES = "tables.json"
EXPECTATIONS = "expectations.json"


@dataclass(frozen=True, slots=True)
class SmokeRequest:
    """One smoke test: `directory` holds the restored asset, `attachments` what was recorded at backup.

    `loader` and `tolerance` are None for datasets, which have a `reader`. The test is ended after `timeout_s` seconds.
    """

    kind: AssetKind
    directory: Path
    attachments: Path
    loader: str | None = None
    tolerance: Tolerance | None = None
    limits: SmokeLimits = field(default_factory=SmokeLimits)
    timeout_s: float = DEFAULT_TIMEOUT_S
    reader: str = PANDAS

    @classmethod
    def from_asset(cls, asset: Asset, directory: Path, attachments: Path) -> SmokeRequest:
        """The test that the asset's policy asks for; `UsageError` for a model that names no known loader."""
        if asset.kind is AssetKind.ORCHESTRATOR:
            return cls(asset.kind, directory, attachments)
        if asset.kind is AssetKind.DATASET:
            if asset.smoke is None:
                return cls(asset.kind, directory, attachments)
            limits, timeout_s, reader = asset.smoke.limits, asset.smoke.timeout_s, asset.smoke.reader
            return cls(asset.kind, directory, attachments, limits=limits, timeout_s=timeout_s, reader=reader)
        policy = known_policy(asset)
        judged = (policy.loader, policy.tolerance, policy.limits, policy.timeout_s)
        return cls(asset.kind, directory, attachments, *judged)

    def task(self) -> dict[str, Any]:
        """The request as the child reads it."""
        paths = {"directory": str(self.directory.absolute()), "attachments": str(self.attachments.absolute())}
        task = {"task": f"check-{self.kind}", **paths, "limits": asdict(self.limits)}
        if self.tolerance is None:
            return task | {"reader": self.reader}
        return task | {"loader": self.loader, "tolerance": asdict(self.tolerance)}


def known_policy(asset: Asset) -> SmokePolicy:
    """The smoke policy of a model, or `UsageError` saying what to write into the configuration."""
    if asset.smoke is None:
        raise UsageError(
            f"asset {asset.name} is a model without a smoke policy",
            where=f"assets.{asset.name}.smoke",
            hint=f"name a loader: smoke: {{loader: {LOADERS[0]}}}",
        )
    if asset.smoke.loader not in LOADERS and not is_own_loader(asset.smoke.loader):
        raise UsageError(
            f"no smoke loader is called {asset.smoke.loader!r}",
            where=f"assets.{asset.name}.smoke.loader",
            hint=f"loaders there are: {', '.join(LOADERS)}, and module:function of your own",
        )
    return asset.smoke


def result_to_json(result: SmokeResult) -> dict[str, Any]:
    """The result as JSON-ready values."""
    return asdict(result)


def result_from_json(document: dict[str, Any]) -> SmokeResult:
    """The inverse of `result_to_json`."""
    checks = tuple(SmokeCheck(**check) for check in document["checks"])
    return SmokeResult(**{**document, "checks": checks})


def failed(cause: str, *, after_s: float) -> SmokeResult:
    """A test that ended before it could compare anything.

    `load_s` and `first_output_s` are then the seconds until that was known: no correct output came before. No GPU is
    claimed either: `accelerator` is `cpu`.
    """
    check = SmokeCheck(name="ran to its end", measured=cause, required="an answer", passed=False)
    return SmokeResult(False, (check,), cause, "cpu", after_s, after_s)
