"""A right `dr.yaml` becomes frozen facts: what it says, safe defaults for the rest, paths from its own folder."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from dr_lib.config import load_config
from dr_lib.errors import Refused, UsageError
from dr_lib.model.asset import AssetKind, DrillPolicy, Objectives, Retention
from dr_lib.model.gates import Gates
from dr_lib.model.region import LockMode, LockPolicy, Region, Role, RoleCredentials, StoreRef
from dr_lib.model.smoke import SmokePolicy, Tolerance

WHOLE = """
version: 1
regions:
  us-east: {url: s3://dr-us-east, endpoint: http://127.0.0.1:8333, credentials: env:DR_US_EAST,
            lock: {mode: compliance, days: 30}}
  vaulted: {url: "rclone:archive:dr"}
  nas: {url: file:///mnt/nas/dr}
encryption: none
limits: {shard: 64MiB, workers: 3}
standbys: {gpu-standby: {kind: process, queue: gpu, room: 2GB}}
assets:
  minilm:
    kind: model
    source: file:models/mini lm
    regions: [us-east, nas]
    schedule: "0 * * * *"
    objectives: {rpo: 1h, rto: 15m}
    retention: {hourly: 1, daily: 2, weekly: 3, monthly: 4}
    smoke: {loader: sentence-transformers, golden: golden/minilm.jsonl, device: cuda,
            tolerance: {cosine: 0.9, latency: 250ms}}
    verify: {schedule: "@daily", within: 14d, heal: true}
    drill: {schedule: null, scenario: region-lost, standby: gpu-standby}
  reviews:
    kind: dataset
    source: {url: s3://lake/reviews/, endpoint: https://lake.example/, credentials: airflow:lake}
    regions: [vaulted]
    expectations: expectations/reviews.json
"""
LEAST = """
regions: {a: {url: s3://bucket}}
encryption: none
assets: {m: {kind: model, source: /models/m, regions: [a]}}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "dr.yaml"
    path.write_text(text)
    return path


def test_regions_are_what_the_file_says_in_its_order(tmp_path):
    config = load_config(write(tmp_path, WHOLE))
    east = StoreRef("s3://dr-us-east", "http://127.0.0.1:8333")
    lock, keys = LockPolicy(LockMode.COMPLIANCE, 30), RoleCredentials.shared("env:DR_US_EAST")
    assert list(config.regions) == ["us-east", "vaulted", "nas"]
    assert config.regions["us-east"] == Region("us-east", east, lock, credentials=keys)
    assert config.regions["vaulted"] == Region("vaulted", StoreRef("rclone:archive:dr"))
    assert config.regions["nas"] == Region("nas", StoreRef("file:///mnt/nas/dr"))


def opened_with(folder: Path, credentials: str) -> dict[str, str | None]:
    """The reference that opens a region for each role; None for a role that is refused."""
    text = f"regions: {{a: {{url: s3://bucket, credentials: {credentials}}}}}\nencryption: none\n"
    region = load_config(write(folder, text)).region("a")
    return {role.value: reference_of(region, role) for role in Role}


def reference_of(region: Region, role: Role) -> str | None:
    try:
        return region.store_as(role).credentials
    except Refused:
        return None


def test_one_reference_opens_a_region_for_every_role(tmp_path):
    assert opened_with(tmp_path, "env:ALL") == dict.fromkeys(("reader", "writer", "verifier", "janitor"), "env:ALL")


def test_each_role_has_its_own_credentials(tmp_path):
    named = {role.value: f"env:{role.value.upper()}" for role in Role}
    assert opened_with(tmp_path, str(named).replace("'", "")) == named


@pytest.mark.parametrize(
    ("credentials", "opened"),
    [
        ("{writer: env:W}", ("env:W", "env:W", "env:W", None)),
        ("{writer: env:W, verifier: env:V}", ("env:V", "env:W", "env:V", None)),
        ("{reader: env:R}", ("env:R", None, None, None)),
        ("{janitor: env:J}", (None, None, None, "env:J")),
        ("{reader: env:R, janitor: env:J, writer: env:W}", ("env:R", "env:W", "env:W", "env:J")),
    ],
)
def test_a_role_without_credentials_falls_back_but_never_to_the_janitor(tmp_path, credentials, opened):
    assert opened_with(tmp_path, credentials) == dict(
        zip(("reader", "writer", "verifier", "janitor"), opened, strict=True)
    )


def test_an_asset_is_what_the_file_says(tmp_path):
    asset = load_config(write(tmp_path, WHOLE)).asset("minilm")
    assert asset.kind is AssetKind.MODEL
    assert asset.regions == ("us-east", "nas")
    assert asset.schedule == "0 * * * *"
    assert asset.verify_schedule == "0 0 * * *"
    assert (asset.verify_within, asset.heals) == (timedelta(days=14), True)
    assert asset.objectives == Objectives(timedelta(hours=1), timedelta(minutes=15))
    assert asset.retention == Retention(1, 2, 3, 4)
    assert asset.drill == DrillPolicy(None, "region-lost", "gpu-standby")
    tolerance = Tolerance(cosine=0.9, latency_s=0.25)
    assert asset.smoke == SmokePolicy("sentence-transformers", tmp_path / "golden/minilm.jsonl", tolerance, "cuda")


def test_a_source_may_have_its_own_endpoint_and_credentials(tmp_path):
    asset = load_config(write(tmp_path, WHOLE)).asset("reviews")
    assert asset.source == StoreRef("s3://lake/reviews/", "https://lake.example", "airflow:lake")
    assert asset.expectations == tmp_path / "expectations/reviews.json"


@pytest.mark.parametrize(
    ("fields", "gates"),
    [
        ("", Gates()),
        (", gates: {}", Gates()),
        (", gates: none", None),
        (", gates: {norm_jump: 3, shrink: 0.9, structure: false}", Gates(norm_jump=3.0, shrink=0.9, structure=False)),
    ],
)
def test_gates_are_there_unless_none_are_asked_for(tmp_path, fields, gates):
    asset = f"{{kind: model, source: /m, regions: [a]{fields}}}"
    text = f"regions: {{a: {{url: s3://bucket}}}}\nencryption: none\nassets: {{m: {asset}}}\n"
    assert load_config(write(tmp_path, text)).asset("m").gates == gates


def test_limits_are_in_bytes_and_threads(tmp_path):
    limits = load_config(write(tmp_path, WHOLE)).limits
    assert (limits.shard_bytes, limits.workers) == (64 << 20, 3)


def test_every_field_that_may_be_left_out_has_a_safe_default(tmp_path):
    config = load_config(write(tmp_path, LEAST))
    asset = config.asset("m")
    assert asset.schedule == "0 2 * * *"
    assert asset.verify_schedule == "0 4 * * *"
    assert (asset.verify_within, asset.heals) == (timedelta(days=30), False)
    assert asset.objectives == Objectives(timedelta(hours=24), timedelta(hours=4))
    assert asset.retention == Retention(24, 7, 5, 12)
    assert asset.drill == DrillPolicy("0 3 * * 1", "region-lost", "local")
    assert asset.smoke is None
    assert asset.expectations is None
    assert (config.encryption, config.signing, config.limits.shard_bytes) == (None, None, 512 << 20)
    assert 1 <= config.limits.workers <= 8


def test_assets_may_come_later(tmp_path):
    assert load_config(write(tmp_path, "regions: {a: {url: s3://bucket}}\nencryption: none\n")).assets == {}


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("file:models/m", "{folder}/models/m"),
        ("./models/m", "{folder}/models/m"),
        ("file:///models/a%20b", "/models/a b"),
        ("file:///models/a b", "/models/a b"),
        ("/models/50%/m", "/models/50%/m"),
        ("file:///models/x@y", "/models/x@y"),
        ("/hub/all-MiniLM-L6-v2/snapshots/8b3219a92973c328a8e22fadcfa821b5dc75636a", None),
    ],
)
def test_a_file_source_is_absolute_wherever_the_command_runs(tmp_path, monkeypatch, written, path):
    text = LEAST.replace("/models/m", f'"{written}"')
    monkeypatch.chdir("/")
    expected = Path((path or written).format(folder=tmp_path)).as_uri()
    assert load_config(write(tmp_path, text)).asset("m").source.url == expected


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "dr.yaml").write_bytes(b"\xef\xbb\xbf" + LEAST.encode())
    assert list(load_config(tmp_path / "dr.yaml").assets) == ["m"]


def test_the_variable_names_the_file_when_no_path_is_given(tmp_path, monkeypatch):
    monkeypatch.setenv("DR_CONFIG", str(write(tmp_path, LEAST)))
    assert load_config().path == tmp_path / "dr.yaml"


def test_without_both_the_file_in_the_working_directory_counts(tmp_path, monkeypatch):
    monkeypatch.delenv("DR_CONFIG", raising=False)
    monkeypatch.chdir(write(tmp_path, LEAST).parent)
    assert load_config().path == tmp_path / "dr.yaml"


def test_a_missing_file_says_how_to_get_one(tmp_path):
    with pytest.raises(UsageError, match=r"no configuration file .*absent\.yaml.*--config or DR_CONFIG.*demo up"):
        load_config(tmp_path / "absent.yaml")


def test_a_directory_is_no_configuration(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        load_config(tmp_path)


def test_loading_imports_no_store_no_airflow_and_no_model_library(tmp_path):
    program = "import sys; from dr_lib.config import load_config; load_config(); print(*sys.modules)"
    environment = {**os.environ, "DR_CONFIG": str(write(tmp_path, WHOLE))}
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    heavy = {"boto3", "obstore", "torch", "airflow", "pandas", "numpy", "rich", "typer"}
    assert heavy & set(result.stdout.split()) == set()
