"""A machine with Python, one vault and the escrow key gets a model back, byte for byte; anything odd is refused."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dr_lib.clock import utc_now
from dr_lib.demo.seaweed import SeaweedRegion
from dr_lib.errors import Refused, UsageError
from dr_lib.format import kit as kit_format
from dr_lib.format import vault_record
from dr_lib.kit import shelf as shelf_module
from dr_lib.kit.build import build
from dr_lib.runtime import Runtime
from dr_lib.use_cases.keeping_kits import kit_document
from dr_lib.vault.kits import examine_kit
from tests.conftest import environment_of, fresh_name
from tests.keys import keys
from tests.kit.conftest import Bare
from tests.world import World, change, flip, make_world, tree, weights


def vault_of(world: World) -> tuple[object, ...]:
    return ("--vault", world.regions["one"], "--key", "escrow.agekey")


def test_a_model_comes_back_byte_for_byte_with_the_escrow_key(world: World, bare: Bare, tmp_path: Path):
    [point] = [one["point"] for one in world.runtime.points("thing")]
    listed = bare.run(*vault_of(world), "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert point in listed.stdout
    verified = bare.run(*vault_of(world), "verify")
    assert (verified.returncode, verified.stderr, verified.stdout) == (0, "", listed.stdout)
    assert bare.run(*vault_of(world), "verify", "nothing").returncode == 5
    done = bare.run(*vault_of(world), "restore", "thing", "--to", tmp_path / "back")
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(tmp_path / "back") == tree(world.source)


def test_it_leaves_nothing_behind(world: World, bare: Bare, tmp_path: Path):
    (tmp_path / "tmp").mkdir()
    bare.run(*vault_of(world), "list", env={"TMPDIR": str(tmp_path / "tmp")})
    assert list((tmp_path / "tmp").iterdir()) == []
    assert sorted(path.name for path in bare.folder.iterdir()) == ["escrow.agekey", "kit.pyz", "other.agekey"]


def test_a_bucket_is_read_as_a_directory_is(seaweed: SeaweedRegion, shelf: Path, bare: Bare, tmp_path: Path):
    bucket = f"s3://{fresh_name()}/deep"
    region = {"url": bucket, "endpoint": seaweed.endpoint, "credentials": "env:DR_TEST"}
    environ = keys().all() | environment_of(seaweed) | {"DR_KIT": str(shelf)}
    world = make_world(tmp_path / "s3", ("one",), **keys().config(), environ=environ, regions={"one": region})
    weights(world.source / "model.safetensors", 3)
    (world.source / "large.bin").write_bytes(bytes(range(256)) * 100_000)
    world.runtime.backup("thing")
    credentials = {"AWS_ACCESS_KEY_ID": seaweed.access_key, "AWS_SECRET_ACCESS_KEY": seaweed.secret_key}
    place = ("--vault", bucket, "--endpoint", seaweed.endpoint, "--key", "escrow.agekey")
    for number, command in enumerate((("list",), ("verify", "thing"), ("restore", "thing", "--to", tmp_path / "back"))):
        done = bare.run(*place, *command, online=["yes"], env=credentials)
        assert (done.returncode, done.stderr) == (0, ""), number
    assert tree(tmp_path / "back") == tree(world.source)
    refused = bare.run(*place, "list", online=["yes"], env=credentials | {"AWS_SECRET_ACCESS_KEY": "wrong"})
    assert (refused.returncode, refused.stderr.count("\n")) == (7, 1)
    nobody = bare.run(*place, "list", online=["yes"])
    assert (nobody.returncode, "AWS_ACCESS_KEY_ID" in nobody.stderr) == (7, True)
    silent = ("--vault", bucket, "--endpoint", "http://127.0.0.1:9", "--key", "escrow.agekey")
    assert bare.run(*silent, "list", online=["yes"], env=credentials).returncode == 6
    no_vault = ("--vault", f"s3://{fresh_name()}", "--endpoint", seaweed.endpoint)
    assert bare.run(*no_vault, "list", online=["yes"], env=credentials).returncode == 5


def test_the_wrong_key_opens_nothing(world: World, bare: Bare, tmp_path: Path):
    for given in (("--key", "other.agekey"), ()):
        asked = ("--vault", world.regions["one"], *given, "restore", "thing", "--to", tmp_path / "back")
        done = bare.run(*asked)
        assert (done.returncode, done.stderr.count("\n")) == (7, 1)
    assert not (tmp_path / "back").exists()
    gone = bare.run("--vault", world.regions["one"], "--key", "no.agekey", "list")
    assert (gone.returncode, gone.stderr.count("\n")) == (5, 1)


def test_a_vault_with_half_of_its_objects_gives_all_of_a_point_or_nothing(world: World, bare: Bare, tmp_path: Path):
    world.packs("one")[0].unlink()
    for command in (("verify",), ("restore", "thing", "--to", tmp_path / "back")):
        done = bare.run(*vault_of(world), *command)
        assert (done.returncode, "missing" in done.stdout + done.stderr) == (4, True)
    shutil.rmtree(world.regions["one"] / "keys")
    assert bare.run(*vault_of(world), "restore", "thing", "--to", tmp_path / "back").returncode == 4
    assert not (tmp_path / "back").exists()
    (world.regions["one"] / "vault.json").unlink()
    assert bare.run(*vault_of(world), "list").returncode == 5


def test_verifying_reads_every_byte(world: World, bare: Bare):
    change(world.packs("one")[0], lambda data: flip(data, len(data) // 3))
    assert bare.run(*vault_of(world), "list").returncode == 0
    done = bare.run(*vault_of(world), "verify")
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)


def test_a_kit_that_was_changed_runs_nothing_and_is_found(world: World, bare: Bare):
    [stored] = (world.regions["one"] / "kit").iterdir()
    whole = stored.read_bytes()
    body = whole.rindex(b"reader.py")
    for at, code in ((len(whole) // 2, 4), (body, 4), (len(whole) - 60, 0)):  # of a signature only its key knows
        change(stored, lambda _, at=at: flip(whole, at))
        bare.kit.write_bytes(stored.read_bytes())
        assert bare.run(*vault_of(world), "list").returncode == code
        states = {one["region"]: one["state"] for one in world.runtime.kits()["regions"]}
        assert states == {"one": "damaged", "two": "whole"}
        assert "kit/" in str(world.runtime.verify("thing", region="one", mode="full")["runs"][0]["findings"])
    change(stored, lambda _: whole[: len(whole) // 2])
    bare.kit.write_bytes(stored.read_bytes())
    assert bare.run(*vault_of(world), "list").returncode == 1  # Python itself: this is no zip file
    assert world.runtime.heal("thing", region="one")["ok"]
    assert stored.read_bytes() == whole
    assert world.runtime.kits()["ok"]


def test_a_kit_of_somebody_else_is_no_kit(world: World, shelf: Path):
    [stored] = (world.regions["one"] / "kit").iterdir()
    forged = kit_format.sign(build(shelf / "wheels"), "1", utc_now(), None)
    change(stored, lambda _: forged)
    [state] = [one for one in world.runtime.kits()["regions"] if one["region"] == "one"]
    assert state["state"] == "damaged"
    assert "not signed" in state["why"]


def test_a_kit_older_than_the_vault_says_which_one_to_take(world: World, bare: Bare):
    change(world.regions["one"] / "vault.json", lambda data: data.replace(b'"format":1', b'"format":2'))
    done = bare.run(*vault_of(world), "list")
    assert (done.returncode, "take the newest file below kit/" in done.stderr) == (7, True)


def test_a_vanished_kit_is_missed_and_comes_back_from_another_region(world: World):
    assert world.runtime.verify("thing", mode="full")["ok"]
    [stored] = (world.regions["one"] / "kit").iterdir()
    whole = stored.read_bytes()
    stored.unlink()
    assert not world.runtime.verify("thing", region="one", mode="full")["ok"]
    assert world.runtime.heal("thing", region="one")["ok"]
    assert stored.read_bytes() == whole


def test_the_same_kit_is_stored_once_and_another_one_beside_it(world: World, monkeypatch: pytest.MonkeyPatch):
    again = world.runtime.build_kit()
    assert [one["stored"] for one in again["regions"]] == [False, False]
    at_hand = shelf_module.at_hand
    monkeypatch.setattr(shelf_module, "at_hand", lambda folder: b"#!/bin/false\n" + (at_hand(folder) or b""))
    newer = world.runtime.build_kit(["one"])["regions"]
    assert [one["stored"] for one in newer] == [True]
    assert len(list((world.regions["one"] / "kit").iterdir())) == 2
    assert world.runtime.kits()["regions"][0]["key"] == newer[0]["key"]
    assert world.runtime.kits()["ok"]


def test_two_that_make_the_kit_at_once_both_have_it(shelf: Path, tmp_path: Path):
    (tmp_path / "wheels").symlink_to(shelf / "wheels")
    with ThreadPoolExecutor(4) as pool:
        kits = list(pool.map(lambda _: shelf_module.made(tmp_path), range(4)))
    assert len(set(kits)) == 1
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith("kit-")] == ["wheels"]


def test_a_region_that_comes_later_gets_the_same_bytes(tmp_path: Path, shelf: Path):
    names = ("one", "two", "three")
    folder = tmp_path / "w"
    environ = keys().all() | {"DR_KIT": str(shelf)}
    folder.mkdir()
    regions = {name: {"url": f"file://{folder / name}"} for name in names}
    (folder / "dr.yaml").write_text(json.dumps({"version": 1, "regions": regions, **keys().config()}))
    runtime = Runtime.load(folder / "dr.yaml", environ=environ)
    for name in names:
        runtime.initialize([name])
    assert len({one["sha256"] for one in runtime.kits()["regions"]}) == 1


def test_without_the_signing_key_none_is_made_and_a_new_vault_says_so(tmp_path: Path, shelf: Path):
    for place, why in ((str(shelf), "signing key"), ("none", "no place")):
        folder, environ = tmp_path / why, {"DR_KIT": place}
        folder.mkdir()
        said = {"version": 1, "regions": {"one": {"url": f"file://{folder / 'one'}"}}, **keys().config()}
        (folder / "dr.yaml").write_text(json.dumps(said))
        runtime = Runtime.load(folder / "dr.yaml", environ=environ)
        assert why in runtime.initialize()["kit_missing"]
        assert [one["state"] for one in runtime.kits()["regions"]] == ["missing"]
        with pytest.raises((Refused, UsageError), match=why):
            runtime.build_kit()


def test_a_kit_of_an_older_format_is_told(world: World, monkeypatch: pytest.MonkeyPatch):
    vault = world.vault("one")
    monkeypatch.setattr(vault_record, "FORMAT", 2)
    told = kit_document(examine_kit(vault))
    assert (told["state"], "drctl kit build" in told["why"]) == ("outdated", True)
