"""A signature that the configuration demands is verified before a point is committed and before a restore appears."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dr_lib.config import load_config
from dr_lib.config.problems import ConfigError
from dr_lib.errors import IntegrityError, UsageError
from dr_lib.model.asset import Asset, AssetKind, DrillPolicy, Objectives, Retention, SignaturePolicy
from dr_lib.model.region import StoreRef
from dr_lib.provenance.examination import SignatureState, examine_source
from dr_lib.provenance.model_signature import SIGNATURE, sign
from dr_lib.runtime import Runtime
from dr_lib.sources.bucket import BucketSource
from dr_lib.storage.memory import MemoryStore
from tests.keys import keys
from tests.unit.provenance.signers import Signer, new_signer
from tests.world import ASSET, World, make_world, tree


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return new_signer(tmp_path)


def world_of(tmp_path: Path, signature: dict[str, Any] | None) -> World:
    asset = {} if signature is None else {"signature": signature}
    world = make_world(tmp_path / "w", ("one",), asset=asset, environ=keys().all(), **keys().config())
    (world.source / "sub").mkdir()
    (world.source / "sub/weights").write_bytes(os.urandom(300_000))
    return world


def step_by_step(world: World) -> dict[str, Any]:
    plan = world.runtime.plan_backup(ASSET)
    for shard in range(plan["shards"]):
        world.runtime.store_shard(ASSET, "one", plan["run"], shard)
    world.runtime.record_proof(ASSET, "one", plan["run"])
    return world.runtime.commit_backup(ASSET, "one", plan["run"])


WAYS: list[Callable[[World], dict[str, Any]]] = [lambda world: world.runtime.backup(ASSET), step_by_step]
both_ways = pytest.mark.parametrize("back_up", WAYS, ids=["at once", "step by step"])


@both_ways
def test_a_signed_asset_is_verified_and_comes_back_verified(tmp_path, signer, back_up):
    world = world_of(tmp_path, {"public_key": "../signer.pub.pem"})
    sign(world.source, signer.key)
    done = back_up(world)
    assert (done["signature"], done["warnings"]) == ("verified", [])
    manifest = world.vault("one").manifest(ASSET, done["point"])
    assert manifest.environment["model_signature"] == "verified"
    restored = world.runtime.restore(ASSET, str(tmp_path / "restored"))
    assert restored["signature"] == "verified"
    assert tree(tmp_path / "restored") == tree(world.source)


@both_ways
@pytest.mark.parametrize("break_it", ["changed", "unsigned", "by another"])
def test_what_is_not_signed_as_demanded_is_not_committed(tmp_path, signer, back_up, break_it):
    world = world_of(tmp_path, {"public_key": str(signer.public)})
    if break_it == "by another":
        sign(world.source, new_signer(tmp_path, "other").key)
    elif break_it == "changed":
        sign(world.source, signer.key)
        (world.source / "sub/weights").write_bytes(b"others")
    with pytest.raises(IntegrityError, match="demands one" if break_it == "unsigned" else "does not hold"):
        back_up(world)
    assert world.manifests("one") == []


def test_a_signature_that_nobody_checks_is_a_warning(tmp_path, signer):
    world = world_of(tmp_path, None)
    assert world.runtime.backup(ASSET)["signature"] == "absent"
    assert world.runtime.restore(ASSET, str(tmp_path / "without"))["signature"] == "absent"
    sign(world.source, signer.key)
    done = world.runtime.backup(ASSET)
    assert done["signature"] == "unchecked"
    assert len(done["warnings"]) == 1
    assert "name signature.public_key" in done["warnings"][0]
    assert world.runtime.restore(ASSET, str(tmp_path / "with"))["signature"] == "unchecked"


def reconfigured(world: World, signature: dict[str, Any]) -> Runtime:
    """The same vault under a configuration that demands a signature now."""
    text = world.config().read_text()
    path = world.folder / "later.yaml"
    path.write_text(text.replace('"kind": "model"', f'"kind": "model", "signature": {signature}'.replace("'", '"')))
    return Runtime.load(path, environ=keys().all())


def test_a_point_whose_signature_does_not_hold_does_not_appear(tmp_path, signer):
    world = world_of(tmp_path, None)
    sign(world.source, signer.key)
    (world.source / "sub/weights").write_bytes(b"others")
    world.runtime.backup(ASSET)
    demanding = reconfigured(world, {"public_key": str(signer.public)})
    with pytest.raises(IntegrityError, match="does not hold"):
        demanding.restore(ASSET, str(tmp_path / "restored"))
    assert not (tmp_path / "restored").exists()
    part = demanding.restore(ASSET, str(tmp_path / "part"), include=["sub/*"])
    assert part["signature"] == "unchecked"


def test_a_point_from_before_the_signature_is_refused_with_a_way_out(tmp_path, signer):
    world = world_of(tmp_path, None)
    world.runtime.backup(ASSET)
    demanding = reconfigured(world, {"public_key": str(signer.public)})
    with pytest.raises(IntegrityError, match="take `signature` out of the asset"):
        demanding.restore(ASSET, str(tmp_path / "restored"))


def test_a_key_of_ours_that_is_missing_is_a_misconfiguration(tmp_path, signer):
    world = world_of(tmp_path, {"public_key": "nowhere.pem"})
    sign(world.source, signer.key)
    with pytest.raises(UsageError, match="cannot be used"):
        world.runtime.backup(ASSET)


def test_a_commit_that_is_told_again_looks_at_nothing_again(tmp_path, signer):
    world = world_of(tmp_path, {"public_key": str(signer.public)})
    sign(world.source, signer.key)
    plan = world.runtime.plan_backup(ASSET)
    world.runtime.store_shard(ASSET, "one", plan["run"], 0)
    world.runtime.record_proof(ASSET, "one", plan["run"])
    first = world.runtime.commit_backup(ASSET, "one", plan["run"])
    (world.source / "sub/weights").write_bytes(b"moved on since")
    again = world.runtime.commit_backup(ASSET, "one", plan["run"])
    assert (again["point"], again["signature"]) == (first["point"], None)


@pytest.mark.parametrize(
    "signature", [{}, {"public_key": "a.pem", "certificate_chain": ["b.pem"]}, {"public": "a.pem"}]
)
def test_a_policy_names_exactly_one_way(tmp_path, signature):
    with pytest.raises(ConfigError, match=r"assets\.thing\.signature"):
        world_of(tmp_path, signature)


def test_paths_start_from_the_files_folder(tmp_path):
    world = world_of(tmp_path, {"certificate_chain": ["root.pem", "/etc/inter.pem"]})
    policy = load_config(world.config()).asset(ASSET).signature
    assert policy == SignaturePolicy(None, (world.folder / "root.pem", Path("/etc/inter.pem")))


def test_a_source_in_a_bucket_is_brought_here_to_be_verified(tmp_path, signer):
    folder = tmp_path / "model"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/weights").write_bytes(os.urandom(20_000))
    sign(folder, signer.key)
    store = MemoryStore("bucket")
    for path in ("sub/weights", SIGNATURE):
        store.create(path, (folder / path).read_bytes())
    source = BucketSource(store, "s3://bucket")
    policy = SignaturePolicy(signer.public, ())
    assert examine_source(asset(policy), source, source.listing()).signature is SignatureState.VERIFIED
    store.create("more", b"not signed")
    with pytest.raises(IntegrityError, match="more"):
        examine_source(asset(policy), source, source.listing())


def asset(policy: SignaturePolicy) -> Asset:
    day = timedelta(days=1)
    drill = DrillPolicy(None, "region-lost", "local")
    facts = Objectives(day, day), Retention(1, 1, 1, 1), drill
    return Asset(ASSET, AssetKind.MODEL, StoreRef("s3://bucket"), ("one",), None, None, *facts, signature=policy)


def test_a_file_that_is_no_safetensors_is_kept_and_told(tmp_path):
    world = world_of(tmp_path, None)
    for number in range(7):
        (world.source / f"{number}.safetensors").write_bytes(b"no header, number %d" % number)
    done = world.runtime.backup(ASSET)
    assert len(done["warnings"]) == 6
    assert "'0.safetensors' is no valid safetensors file and is kept without its tensors" in done["warnings"][0]
    assert done["warnings"][-1] == "2 more such files"
    world.runtime.restore(ASSET, str(tmp_path / "restored"))
    assert tree(tmp_path / "restored") == tree(world.source)
