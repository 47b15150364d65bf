"""The one file opens what is sealed and believes what is signed, on a machine that has nothing of ours."""

from pathlib import Path

import pytest

from dr_lib.crypto import signing
from tests.golden.keys import FOLDER as KEYS
from tests.golden.keys import keyset
from tests.golden.test_golden_sealed import SEALED, expected
from tests.golden.test_golden_vault import plain
from tests.golden.test_standalone_reader import GOLDEN, Machine
from tests.golden.writing import ASSET, POINT
from tests.golden.writing_sealed import LATER
from tests.keys import keys
from tests.world import ASSET as THING
from tests.world import make_world, tree, weights

CRYPTO = ("cryptography", "_cffi_backend")


@pytest.fixture
def opener(tmp_path: Path) -> Machine:
    """A machine for sealed vaults: with all decoders."""
    return Machine(tmp_path / "bare", "blake3", "zstandard", "pyrage", *CRYPTO)


def identity(name: str) -> Path:
    return KEYS / f"{name}.txt"


@pytest.mark.parametrize("point", [POINT, LATER])
def test_the_sealed_vault_is_restored_exactly_by_each_recipient(opener: Machine, tmp_path: Path, point: str):
    wanted = (SEALED, "restore", ASSET, "--point", point, "--to")
    by_file = opener.run(*wanted, tmp_path / "a", "--identity", identity("escrow"))
    by_variable = opener.run(*wanted, tmp_path / "b", DR_IDENTITY=identity("operations").read_text())
    assert (by_file.returncode, by_file.stderr, by_variable.returncode) == (0, "", 0)
    assert plain(tmp_path / "a") == plain(tmp_path / "b") == expected(point)


def test_without_an_identity_a_sealed_vault_is_listed_and_nothing_else(opener: Machine, tmp_path: Path):
    listed = opener.run(SEALED, "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert [line.split()[1] for line in listed.stdout.splitlines()] == [POINT, LATER]
    done = opener.run(SEALED, "restore", ASSET, "--to", tmp_path / "to")
    assert (done.returncode, done.stderr.count("\n")) == (7, 1)
    assert "give --identity FILE" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bare"]


@pytest.mark.parametrize("name", ["revoked", "writer", "signer"])
def test_other_keys_open_nothing(opener: Machine, tmp_path: Path, name: str):
    """An identity that was rotated out is one of them, although the older generation of the run key is still there."""
    wanted = ("restore", ASSET, "--point", POINT, "--to", tmp_path / "to", "--identity", identity(name))
    done = opener.run(SEALED, *wanted)
    assert (done.returncode, done.stderr.count("\n")) == (7, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["bare"]


def test_an_identity_that_is_none_is_refused_and_not_repeated(opener: Machine, tmp_path: Path):
    done = opener.run(SEALED, "restore", ASSET, "--to", tmp_path / "to", DR_IDENTITY="AGE-SECRET-KEY-1NONSENSE")
    assert (done.returncode, "NONSENSE" in done.stderr + done.stdout) == (7, False)


def test_signers_that_are_pinned_count_and_no_others(opener: Machine):
    [signer] = keyset().trusted
    other = signing.signer(signing.new_signing_key()).public
    assert opener.run(SEALED, "list", "--trusted", other, "--trusted", signer).returncode == 0
    refused = opener.run(SEALED, "list", "--trusted", other)
    assert (refused.returncode, refused.stdout.count("signed by nobody who is trusted")) == (4, 2)
    assert opener.run(GOLDEN, "list", "--trusted", signer).returncode == 4
    assert opener.run(SEALED, "list", "--trusted", "ed25519:nonsense").returncode == 4


def test_a_vault_in_the_clear_is_refused_where_an_identity_is_given(opener: Machine):
    done = opener.run(GOLDEN, "list", "--identity", identity("operations"))
    assert done.returncode == 4
    assert "in the clear, though an identity is given" in done.stderr


@pytest.mark.parametrize(("decoder", "others"), [("cryptography", ["pyrage"]), ("pyrage", CRYPTO)])
def test_a_machine_without_a_decoder_says_what_it_needs(tmp_path: Path, decoder: str, others: list[str]):
    machine = Machine(tmp_path / "bare", "blake3", "zstandard", *others)
    done = machine.run(SEALED, "restore", ASSET, "--to", tmp_path / "to", "--identity", identity("escrow"))
    assert (done.returncode, done.stderr.count("\n")) == (7, 1)
    assert f"install the package {decoder}" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bare"]


def test_it_agrees_with_the_engine_on_a_sealed_vault(opener: Machine, tmp_path: Path):
    world = make_world(tmp_path / "world", ("one",), environ=keys().all(), **keys().config())
    weights(world.source / "model.safetensors")
    (world.source / "notes.txt").write_text("text " * 5000)
    world.runtime.backup(THING)
    (world.source / "notes.txt").write_text("other text " * 500)
    point = world.runtime.backup(THING)["point"]
    world.runtime.restore(THING, str(tmp_path / "by the engine"), point=point)
    restored = tmp_path / "by the reader"
    done = opener.run(world.regions["one"], "restore", THING, "--to", restored, DR_IDENTITY=keys().operations)
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(restored) == tree(tmp_path / "by the engine") == tree(world.source)
