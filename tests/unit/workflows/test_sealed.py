"""A sealed vault: who can do what with which key, and what is refused as less than it should be."""

import json
from dataclasses import replace

import pytest

from dr_lib.errors import DrError, IntegrityError, PermissionDenied, UsageError
from dr_lib.format import manifest as manifest_format
from dr_lib.runtime import Runtime
from dr_lib.storage.local import LocalStore
from dr_lib.vault.opening import open_vault
from tests.keys import fresh_keys, keys
from tests.world import ASSET, World, change, flip, make_world, tree, weights

SECRET = b"what only its owners may read. "


@pytest.fixture
def world(tmp_path) -> World:
    made = make_world(tmp_path / "world", environ=keys().all(), **keys().config())
    weights(made.source / "model.safetensors")
    (made.source / "hidden-name.txt").write_bytes(SECRET * 40)
    return made


def runtime(world: World, environ: dict[str, str]) -> Runtime:
    return Runtime.load(world.config(), environ=environ)


def code(call) -> int:
    with pytest.raises(DrError) as raised:
        call()
    return raised.value.exit_code


def test_a_backup_host_writes_what_it_cannot_read(world):
    host = runtime(world, keys().backup_host())
    point = host.backup(ASSET)
    assert set(point["copies"]) == {"one", "two"}
    with pytest.raises(PermissionDenied, match="no identity"):
        host.restore(ASSET, str(world.folder / "stolen"))
    assert not (world.folder / "stolen").exists()
    operator = runtime(world, keys().operator())
    operator.restore(ASSET, str(world.folder / "out"))
    assert tree(world.folder / "out") == tree(world.source)
    assert all(result["ok"] for result in operator.verify(ASSET)["results"])


def test_each_recipient_alone_suffices(world):
    world.runtime.backup(ASSET)
    escrow = runtime(world, {"DR_IDENTITY": keys().escrow})
    escrow.restore(ASSET, str(world.folder / "out"), region="two")
    assert tree(world.folder / "out") == tree(world.source)


def test_no_object_shows_content_or_names_of_files(world):
    world.runtime.backup(ASSET)
    for path in world.regions["one"].rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert SECRET not in data
            assert b"hidden-name" not in data
            assert b"safetensors" not in data


def test_a_second_backup_sends_nothing_and_one_with_another_writer_key_everything(world):
    first = world.runtime.backup(ASSET)
    assert world.runtime.backup(ASSET)["new_bytes"] == 0
    stranger = runtime(world, keys().backup_host() | {"DR_WRITER_KEY": fresh_keys().writer})
    assert stranger.backup(ASSET)["new_bytes"] >= first["stored_bytes"]
    world.runtime.restore(ASSET, str(world.folder / "out"))
    assert tree(world.folder / "out") == tree(world.source)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, 7),
        ({"DR_IDENTITY": fresh_keys().operations}, 7),
        ({"DR_IDENTITY": "AGE-SECRET-KEY-1NONSENSE"}, 2),
        ({"DR_IDENTITY": "# only a comment"}, 2),
    ],
    ids=["none", "wrong", "damaged", "empty"],
)
def test_without_the_right_identity_nothing_is_restored(world, environ, expected):
    world.runtime.backup(ASSET)
    assert code(lambda: runtime(world, environ).restore(ASSET, str(world.folder / "out"))) == expected
    assert not (world.folder / "out").exists()


@pytest.mark.parametrize("missing", ["DR_WRITER_KEY", "DR_SIGNING_KEY"])
def test_a_host_without_one_of_its_keys_writes_nothing(world, missing):
    environ = {name: value for name, value in keys().backup_host().items() if name != missing}
    with pytest.raises(UsageError, match="key is here"):
        runtime(world, environ).backup(ASSET)
    assert not (world.regions["one"] / "packs").exists()
    assert not (world.regions["one"] / "runs").exists()


def test_a_host_with_a_signing_key_that_nobody_trusts_writes_nothing(world):
    host = runtime(world, keys().backup_host() | {"DR_SIGNING_KEY": fresh_keys().signer})
    with pytest.raises(UsageError, match="none that this vault trusts"):
        host.backup(ASSET)


def test_structure_is_verified_without_an_identity_and_the_rest_is_not(world):
    world.runtime.backup(ASSET)
    host = runtime(world, keys().backup_host())
    assert all(result["ok"] for result in host.verify(ASSET, mode="structure")["results"])
    assert code(lambda: host.verify(ASSET)) == 7
    for path in (world.regions["one"] / "keys").rglob("*.age"):
        path.unlink()
    lost = host.verify(ASSET, region="one", mode="structure")["results"]
    assert "run key" in lost[0]["findings"][0]


def test_a_point_is_copied_without_any_reading_key(world):
    point = runtime(world, keys().backup_host()).backup(ASSET, ["one"])["point"]
    copier = runtime(world, {})
    assert [done["region"] for done in copier.replicate(ASSET, point)["copied"]] == ["two"]
    runtime(world, keys().operator()).restore(ASSET, str(world.folder / "out"), region="two")
    assert tree(world.folder / "out") == tree(world.source)


def forged(world: World, **signing: str | None) -> bytes:
    """The point's manifest again, in the clear or signed by somebody else."""
    vault = open_vault("one", LocalStore(world.regions["one"], "region one"), world.runtime._wiring.keys)
    path = world.manifests("one")[0]
    manifest = vault.manifest(ASSET, path.stem)
    return manifest_format.dump(manifest, vault.run_key(), **signing)


def test_manifests_that_nobody_trusted_signed_are_refused(world):
    world.runtime.backup(ASSET, ["one"])
    path = world.manifests("one")[0]
    from dr_lib.crypto.signing import signer

    for data in [forged(world, signer=by) for by in (None, signer(fresh_keys().signer))]:
        change(path, lambda _, data=data: data)
        assert code(lambda: world.runtime.restore(ASSET, str(world.folder / "out"))) == 4
        assert not (world.folder / "out").exists()


def test_a_manifest_of_another_point_is_refused(world):
    world.runtime.backup(ASSET, ["one"])
    (world.source / "hidden-name.txt").write_bytes(b"newer")
    world.runtime.backup(ASSET, ["one"])
    old, new = world.manifests("one")
    change(new, lambda _: old.read_bytes())
    assert code(lambda: world.runtime.restore(ASSET, str(world.folder / "out"), new.stem, region="one")) == 4


def test_a_vault_that_says_it_is_in_the_clear_is_refused(world):
    world.runtime.backup(ASSET, ["one"])
    facts = json.loads((world.regions["one"] / "vault.json").read_bytes())
    del facts["signers"]
    change(world.regions["one"] / "vault.json", lambda _: json.dumps(facts | {"encryption": "none"}).encode())
    assert code(lambda: world.runtime.backup(ASSET, ["one"])) == 4
    assert code(lambda: world.runtime.restore(ASSET, str(world.folder / "out"), region="one")) == 4


def test_a_reader_who_says_none_is_told_that_it_is_sealed(world):
    world.runtime.backup(ASSET)
    config = json.loads(world.config().read_text()) | {"encryption": "none", "signing": "none"}
    (world.folder / "dr.yaml").write_text(json.dumps(config))
    with pytest.raises(UsageError, match="this vault is sealed"):
        runtime(world, {}).restore(ASSET, str(world.folder / "out"), region="one")


def test_signers_are_taken_from_the_vault_where_none_are_pinned(world):
    world.runtime.backup(ASSET, ["one"])
    config = json.loads(world.config().read_text())
    config["signing"] = {}
    (world.folder / "dr.yaml").write_text(json.dumps(config))
    reader = runtime(world, keys().operator())
    reader.restore(ASSET, str(world.folder / "out"))
    change(world.manifests("one")[0], lambda _: forged(world, signer=None))
    assert code(lambda: reader.restore(ASSET, str(world.folder / "other"))) == 4


def test_an_unsigned_event_takes_the_word_back(world):
    world.runtime.backup(ASSET, ["one"])
    world.runtime.verify(ASSET, region="one")
    event = next((world.regions["one"] / "events").rglob("*-verification-*.json"))
    assert world.runtime.points(ASSET)[0]["copies"]["one"] == "verified"
    payload = json.loads(event.read_bytes())
    from dr_lib.format import layout

    stripped = json.dumps(payload | {"signatures": []}, sort_keys=True, separators=(",", ":")).encode()
    name = layout.parse_event_key(str(event.relative_to(world.regions["one"])))
    event.unlink()
    key = layout.event_key(name.asset, name.at, name.kind, name.point, stripped)
    (world.regions["one"] / key).write_bytes(stripped)
    assert world.runtime.points(ASSET)[0]["copies"]["one"] != "verified"


@pytest.mark.parametrize("kind", ["packs", "points", "keys"])
def test_every_changed_part_of_every_object_shows(world, kind):
    world.runtime.backup(ASSET, ["one"])
    for path in sorted((world.regions["one"] / kind).rglob("*")):
        if not path.is_file():
            continue
        whole = path.read_bytes()
        for at in range(0, len(whole), max(1, len(whole) // 40)):
            change(path, lambda data, at=at: flip(data, at))
            results = world.runtime.verify(ASSET, region="one")["results"]
            assert not any(result["ok"] for result in results), (path, at)
            with pytest.raises(IntegrityError):
                world.runtime.restore(ASSET, str(world.folder / "out"), region="one")
            change(path, lambda _, whole=whole: whole)
    assert all(result["ok"] for result in world.runtime.verify(ASSET, region="one")["results"])


def test_frames_of_one_place_do_not_open_in_another(world):
    """Swapping stored bytes inside a pack, and the pack's own name with it, is what a keeper of the bucket can do."""
    world.runtime.backup(ASSET, ["one"])
    vault = open_vault("one", LocalStore(world.regions["one"], "region one"), world.runtime._wiring.keys)
    manifest = vault.manifest(ASSET, world.manifests("one")[0].stem)
    from dr_lib.vault.pack_reader import fetch_range, open_frames

    frame = manifest.files[-1].frames[0]
    ref = manifest.summary.packs[frame.pack]
    stored = fetch_range(vault, ref, frame.offset, frame.length)
    assert list(open_frames(vault, ref, frame.offset, stored, [frame]))
    for other in (replace(frame, codec=1 - frame.codec if frame.codec < 2 else 1), replace(frame, raw=frame.raw + 1)):
        with pytest.raises(IntegrityError):
            list(open_frames(vault, ref, frame.offset, stored, [other]))


def test_an_identity_alone_is_enough_to_restore_and_to_do_nothing_else(world):
    world.runtime.backup(ASSET)
    config = json.loads(world.config().read_text()) | {"encryption": {"identity": "env:DR_IDENTITY"}, "signing": {}}
    (world.folder / "bare.yaml").write_text(json.dumps(config))
    bare = Runtime.load(world.folder / "bare.yaml", environ=keys().all())
    bare.restore(ASSET, str(world.folder / "out"))
    assert tree(world.folder / "out") == tree(world.source)
    with pytest.raises(UsageError, match="names no recipients"):
        bare.backup(ASSET)
