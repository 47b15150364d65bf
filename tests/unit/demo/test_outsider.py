"""Whether a point is sealed and signed, as somebody without a key sees it."""

from __future__ import annotations

from dr_lib.demo.outsider import Seen, look_at
from dr_lib.storage.local import LocalStore
from tests.keys import fresh_keys, keys
from tests.world import ASSET, flip, make_world, weights


def seen(folder, trusted=None, damage=False, **config):
    world = make_world(folder, environ=keys().all(), **config)
    weights(world.source / "model.safetensors")
    point = world.runtime.backup(ASSET)["point"]
    if damage:
        path = world.manifests("two")[0]
        path.chmod(0o600)
        path.write_bytes(flip(path.read_bytes(), -1))
    stores = {name: LocalStore(path, name) for name, path in world.regions.items()}
    return look_at(stores, ASSET, point, [keys().public] if trusted is None else trusted)


def test_a_sealed_and_signed_point_shows_as_both(tmp_path):
    assert seen(tmp_path / "w", **keys().config()) == Seen(sealed=True, signed=True)


def test_a_point_in_the_clear_shows_as_neither(tmp_path):
    assert seen(tmp_path / "w") == Seen(sealed=False, signed=False)


def test_what_others_signed_is_not_signed(tmp_path):
    stranger = [fresh_keys().public]
    assert seen(tmp_path / "w", trusted=stranger, **keys().config()) == Seen(sealed=True, signed=False)


def test_what_is_signed_by_nobody_known_is_not_signed(tmp_path):
    assert seen(tmp_path / "w", trusted=[], **keys().config()) == Seen(sealed=True, signed=False)


def test_one_forged_copy_spoils_it(tmp_path):
    assert seen(tmp_path / "w", damage=True, **keys().config()) == Seen(sealed=False, signed=False)
