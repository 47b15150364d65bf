"""The standby on this machine: what it is given, what comes back, and that nothing of it stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from dr_lib.errors import (
    AlreadyExists,
    DrError,
    IntegrityError,
    NotFound,
    ObjectiveMissed,
    OutOfSpace,
    Refused,
    SourceUnstable,
    StoreUnavailable,
    UsageError,
)
from dr_lib.model.asset import Asset, AssetKind
from dr_lib.runtime import Runtime
from dr_lib.standby.child_process import Finished
from dr_lib.standby.ownership import create_owned
from dr_lib.standby.process import ProcessStandby, _document


@pytest.fixture
def vault_config(live_dataset: Path, tmp_path: Path) -> tuple[str, str]:
    """A region with one point of the real tables: the configuration of its survivors, and the point."""
    region = {"here": {"url": f"file://{tmp_path}/vault"}}
    asset = {"kind": "dataset", "regions": ["here"]}

    def text(source: Path) -> str:
        assets = {"tables": {**asset, "source": f"file://{source}"}}
        return json.dumps({"version": 1, "encryption": "none", "regions": region, "assets": assets})

    config = tmp_path / "dr.yaml"
    config.write_text(text(live_dataset))
    runtime = Runtime.load(config)
    runtime.initialize()
    return text(tmp_path / "no-such-source"), runtime.backup("tables")["point"]


def test_a_point_comes_back_in_a_fresh_process_and_holds(
    vault_config: tuple[str, str], live_dataset: Path, asset_of: Callable[..., Asset], tmp_path: Path
) -> None:
    config, point = vault_config
    with ProcessStandby(tmp_path / "standbys" / "one") as standby:
        document = standby.restore(config, "tables", point, "here", {})
        assert document["point"] == point
        assert document["files"] == 2
        names = [path.name for path in sorted(live_dataset.iterdir())]
        assert [path.name for path in sorted(standby.restored.iterdir())] == names
        for name in names:
            assert (standby.restored / name).read_bytes() == (live_dataset / name).read_bytes()
        assert (standby.attachments / "tables.json").is_file()

        assert standby.smoke(asset_of(AssetKind.DATASET)).passed

        (standby.restored / "digits.parquet").unlink()
        assert standby.smoke(asset_of(AssetKind.DATASET)).cause == "missing table: digits.parquet"
    assert list((tmp_path / "standbys").iterdir()) == []


def test_the_child_s_error_arrives_as_the_class_of_its_exit_code(vault_config: tuple[str, str], tmp_path: Path) -> None:
    config, point = vault_config
    with ProcessStandby(tmp_path / "standbys" / "one") as standby:
        with pytest.raises(NotFound):
            standby.restore(config, "tables", "20200101T000000000000Z-00000000", "here", {})
        with pytest.raises(UsageError):
            standby.restore("version: [", "tables", point, "here", {})


def test_it_is_torn_down_after_a_failure(tmp_path: Path) -> None:
    standby = ProcessStandby(tmp_path / "standby")

    def fail_inside() -> None:
        with standby:
            (standby.root / "restored").mkdir(mode=0o500)
            raise StoreUnavailable("the region went away")

    with pytest.raises(StoreUnavailable):
        fail_inside()
    assert list(tmp_path.iterdir()) == []


def test_two_drills_do_not_share_a_standby(tmp_path: Path) -> None:
    with ProcessStandby(tmp_path / "one") as first, ProcessStandby(tmp_path / "two") as second:
        assert first.root.is_dir()
        assert second.root.is_dir()
        with pytest.raises(AlreadyExists):
            create_owned(first.root)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, DrError),
        (2, UsageError),
        (3, ObjectiveMissed),
        (4, IntegrityError),
        (5, NotFound),
        (6, StoreUnavailable),
        (7, Refused),
        (8, SourceUnstable),
        (99, DrError),
    ],
)
def test_exit_codes_become_errors_with_the_child_s_words(code: int, kind: type[DrError]) -> None:
    said = json.dumps({"error": {"what": "it broke", "where": "region here", "hint": "mend it"}}).encode()
    with pytest.raises(kind) as caught:
        _document(Finished(code, said, b""))
    assert type(caught.value) is kind
    assert str(caught.value) == "it broke [region here]; next: mend it"


def test_a_full_disk_is_told_from_a_silent_store() -> None:
    said = json.dumps({"error": {"type": "OutOfSpace", "what": "the disk is full"}}).encode()
    with pytest.raises(OutOfSpace):
        _document(Finished(6, said, b""))


def test_a_child_without_a_document_is_quoted() -> None:
    with pytest.raises(IntegrityError, match="failed: pack is damaged"):
        _document(Finished(4, b"", b"noise\npack is damaged\n"))
    with pytest.raises(DrError, match="killed by signal 9"):
        _document(Finished(-9, b"", b""))
    with pytest.raises(DrError, match="no JSON document"):
        _document(Finished(0, b"done", b""))
