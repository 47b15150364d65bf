"""The format outlives the program: one file, on a machine that has nothing of ours, restores what the engine wrote."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.golden.test_golden_vault import FOLDER, plain
from tests.golden.writing import ASSET, POINT
from tests.world import ASSET as THING
from tests.world import make_world, tree, weights

READER = Path(__file__).resolve().parents[2] / "dr_lib" / "format" / "reader.py"
GOLDEN = FOLDER / "v1"
BARE = (
    "import importlib.util, runpy, sys; sys.path.append('decoders'); assert not importlib.util.find_spec('dr_lib'); "
    "sys.argv[0] = 'reader.py'; runpy.run_path('reader.py', run_name='__main__')"
)
"""No site-packages at all: what stands in `decoders` alone can be imported beside the standard library."""


class Machine:
    """A directory with a copy of the reader and some decoders, and nothing else."""

    def __init__(self, folder: Path, *decoders: str) -> None:
        self.folder = folder
        (folder / "decoders").mkdir(parents=True)
        shutil.copy(READER, folder / "reader.py")
        for name in decoders:
            spec = find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            found = Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)
            (folder / "decoders" / found.name).symlink_to(found)

    def run(self, *arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", "-c", BARE, *map(str, arguments)]
        environ = {"PATH": os.environ["PATH"]} | environ
        return subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=120, check=False
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "bare", "blake3", "zstandard")


def test_the_golden_vault_is_listed_and_restored_exactly(machine: Machine, tmp_path: Path):
    listed = machine.run(GOLDEN, "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert POINT in listed.stdout
    for number, more in enumerate(((), ("--point", POINT))):
        done = machine.run(GOLDEN, "restore", ASSET, *more, "--to", tmp_path / f"to{number}")
        assert (done.returncode, done.stderr) == (0, "")
        assert plain(tmp_path / f"to{number}") == json.loads((FOLDER / "v1.tree.json").read_text())


def test_it_agrees_with_the_engine(machine: Machine, tmp_path: Path):
    world = make_world(tmp_path / "world", ("one",))
    weights(world.source / "model-00001-of-00002.safetensors", 1)
    weights(world.source / "model-00002-of-00002.safetensors", 2)
    index = {"weight_map": {"matrix": "model-00001-of-00002.safetensors"}}
    (world.source / "model.safetensors.index.json").write_text(json.dumps(index))
    odd = Path(os.fsdecode(os.fsencode(world.source) + b"/odd \xff\n-name"))
    (odd / "deep").mkdir(parents=True)
    (odd / "deep" / "\u00e9.txt").write_text("text " * 5000)
    (odd / "up").symlink_to("../model.safetensors.index.json")
    with (world.source / "sparse").open("wb") as sparse:
        sparse.truncate(3 << 20)
        sparse.seek(2 << 20)
        sparse.write(b"in the middle")
    point = world.runtime.backup(THING)["point"]
    world.runtime.restore(THING, str(tmp_path / "by the engine"), point=point)
    done = machine.run(world.regions["one"], "restore", THING, "--to", tmp_path / "by the reader")
    assert (done.returncode, done.stderr) == (0, "")
    assert tree(tmp_path / "by the reader") == tree(tmp_path / "by the engine") == tree(world.source)


@pytest.mark.parametrize(("decoder", "other"), [("blake3", "zstandard"), ("zstandard", "blake3")])
def test_a_machine_without_a_decoder_says_what_it_needs(tmp_path: Path, decoder: str, other: str):
    done = Machine(tmp_path / "bare", other).run(GOLDEN, "restore", ASSET, "--to", tmp_path / "to")
    assert (done.returncode, done.stderr.count("\n")) == (7, 1)
    assert f"install the package {decoder}" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare"]


def test_exit_codes_and_one_line_for_each_error(machine: Machine, tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("kept")
    (tmp_path / "link").symlink_to("full")
    for code, arguments in (
        (2, (GOLDEN, "fly")),
        (2, (GOLDEN, "restore", ASSET)),
        (5, (tmp_path, "list")),
        (2, (GOLDEN, "verify")),
        (2, (GOLDEN, "restore", "--to", tmp_path / "to")),
        (5, (GOLDEN, "restore", "other", "--to", tmp_path / "to")),
        (5, (GOLDEN, "restore", ASSET, "--point", "20200101T000000000000Z-00000000", "--to", tmp_path / "to")),
        (5, (GOLDEN, "restore", ASSET, "--to", tmp_path / "no" / "to")),
        (7, (GOLDEN, "restore", ASSET, "--to", tmp_path / "full")),
        (7, (GOLDEN, "restore", ASSET, "--to", tmp_path / "link")),
        (7, (GOLDEN, "restore", ASSET, "--to", tmp_path / "empty")),
        (7, (GOLDEN, "restore", ASSET, "--to", GOLDEN / "to")),
    ):
        done = machine.run(*arguments)
        assert done.returncode == code, (arguments, done.stderr)
        assert "Traceback" not in done.stderr
        assert code == 2 or done.stderr.count("\n") == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bare", "empty", "full", "link"]
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]


def test_a_list_tells_of_damage_and_of_every_other_point(machine: Machine, tmp_path: Path):
    shutil.copytree(GOLDEN, tmp_path / "vault")
    [sound] = (tmp_path / "vault").rglob("*.manifest")
    sound.with_name("20200101T000000000000Z-00000000.manifest").write_bytes(sound.read_bytes())
    done = machine.run(tmp_path / "vault", "list")
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    damaged, whole = done.stdout.splitlines()
    assert "of another point" in damaged
    assert POINT in whole
