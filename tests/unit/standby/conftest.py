from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from dr_lib.demo import assets
from dr_lib.model.asset import (
    Asset,
    AssetKind,
    DrillPolicy,
    Objectives,
    Retention,
)
from dr_lib.model.drill import SmokeResult
from dr_lib.model.region import StoreRef
from dr_lib.model.smoke import SmokePolicy, Tolerance
from dr_lib.runtime import Runtime
from dr_lib.standby import smoke
from dr_lib.standby.proof import record_proof
from tests.unit.standby.stand_ins import Docker, put_docker, put_kubeconfig

AssetOf = Callable[..., Asset]


def _asset(kind: AssetKind, **settings: object) -> Asset:
    return Asset(
        name="asset",
        kind=kind,
        source=StoreRef("file:///nowhere"),
        regions=("here",),
        schedule=None,
        verify_schedule=None,
        objectives=Objectives(timedelta(hours=1), timedelta(minutes=15)),
        retention=Retention(1, 1, 1, 1),
        drill=DrillPolicy(None, "region-lost", "process"),
        **settings,
    )


@pytest.fixture(scope="session")
def model_asset() -> Asset:
    policy = SmokePolicy("sentence-transformers", None, Tolerance())
    return _asset(AssetKind.MODEL, smoke=policy)


@pytest.fixture(scope="session")
def dataset_asset(tmp_path_factory: pytest.TempPathFactory) -> Asset:
    path = tmp_path_factory.mktemp("expectations") / "tables.json"
    path.write_text(assets.expectation_suite())
    return _asset(AssetKind.DATASET, expectations=path)


@pytest.fixture(scope="session")
def asset_of() -> AssetOf:
    return _asset


@pytest.fixture(scope="session")
def live_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("live") / "minilm"
    assets.stage_model(directory)
    return directory


@pytest.fixture(scope="session")
def live_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("live") / "tables"
    assets.stage_dataset(directory)
    return directory


@pytest.fixture(scope="session")
def vault_config(live_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A region with one point of the real tables: the configuration of its survivors, and the point."""
    folder = tmp_path_factory.mktemp("region")
    region = {"here": {"url": f"file://{folder}/vault"}}
    asset = {"kind": "dataset", "regions": ["here"]}

    def text(source: Path) -> str:
        assets = {"tables": {**asset, "source": f"file://{source}"}}
        return json.dumps({"version": 1, "encryption": "none", "regions": region, "assets": assets})

    config = folder / "dr.yaml"
    config.write_text(text(live_dataset))
    runtime = Runtime.load(config)
    runtime.initialize()
    return text(folder / "no-such-source"), runtime.backup("tables")["point"]


def _attached(asset: Asset, live: Path, directory: Path) -> Path:
    for name, data in record_proof(asset, live).items():
        (directory / name).write_bytes(data)
    return directory


@pytest.fixture(scope="session")
def golden(model_asset: Asset, live_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Attachments of a backup of the live model."""
    return _attached(model_asset, live_model, tmp_path_factory.mktemp("golden"))


@pytest.fixture(scope="session")
def tables(dataset_asset: Asset, live_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Attachments of a backup of the live dataset."""
    return _attached(dataset_asset, live_dataset, tmp_path_factory.mktemp("tables"))


@pytest.fixture
def restored_model(live_model: Path, tmp_path: Path) -> Path:
    """A copy whose files may be replaced, not written into: they share their bytes with the live ones."""
    return Path(shutil.copytree(live_model, tmp_path / "restored", copy_function=os.link))


@pytest.fixture
def restored_dataset(live_dataset: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(live_dataset, tmp_path / "restored"))


@pytest.fixture
def smoke_model(model_asset: Asset, golden: Path) -> Callable[[Path], SmokeResult]:
    return lambda directory: smoke.run(smoke.SmokeRequest.from_asset(model_asset, directory, golden))


@pytest.fixture
def smoke_dataset(dataset_asset: Asset, tables: Path) -> Callable[[Path], SmokeResult]:
    return lambda directory: smoke.run(smoke.SmokeRequest.from_asset(dataset_asset, directory, tables))


def _smoke_children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if _is_smoke(child)]


@pytest.fixture
def smoke_children() -> Callable[[], list[psutil.Process]]:
    """The living smoke processes that this one has started."""
    return _smoke_children


def _is_smoke(child: psutil.Process) -> bool:
    """Other tests' children may be dead and not yet waited for: those have no command line."""
    try:
        return "dr_lib.standby.smoke" in child.cmdline()
    except psutil.Error:
        return False


@contextmanager
def _held_child(attachments: Path, act: Callable[[psutil.Process], None]) -> Iterator[None]:
    """Hold the next smoke child where it reads its golden outputs, and do `act` to it there."""
    pipe = attachments / "golden.json"
    os.mkfifo(pipe)

    def wait_and_act() -> None:
        with pipe.open("wb"):  # opens when the child does
            act(next(iter(_smoke_children())))

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    yield
    thread.join()


@pytest.fixture
def held_child() -> Callable[[Path, Callable[[psutil.Process], None]], object]:
    return _held_child


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    return put_docker(tmp_path / "docker", monkeypatch)


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A `StandInCluster` that the kubeconfig's context `here` leads to."""
    pytest.importorskip("kubernetes", reason="the extra `kubernetes` is not installed")
    from tests.unit.standby.stand_in_cluster import StandInCluster

    with StandInCluster() as found:
        put_kubeconfig(tmp_path / "kubeconfig", found.url, monkeypatch)
        yield found
