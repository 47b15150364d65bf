"""`drctl keys`: what it makes, prints and takes; nothing of a secret where none belongs."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from dr_lib.config import load_config
from dr_lib.crypto import age, key_text, signing
from dr_lib.keys import SecretSource, keyset

COUNTS = {"run_keys": 4, "current": 3, "others": 1, "newest_generation": 2, "left_behind": 3}
LIST = {
    "recipients": ["age1ops", "age1escrow"],
    "fingerprint": "0a1b2c3d",
    "identities": ["age1ops"],
    "writer": True,
    "signer": "ed25519:AAAA",
    "trusted": ["ed25519:AAAA"],
    "regions": [{"region": "a", **COUNTS, "opened": 4, "shut": 0, "damaged": 0}],
    "problems": ["1 run keys in a are not for today's recipients: drctl keys rotate"],
    "ok": False,
}
SILENT = {"region": "b", "error": "no answer [region b]", "exit_code": 6}
ROTATED = {"region": "a", "run_keys": 4, "rotated": 1, "current": 3, "left_behind": 4}


@pytest.fixture
def made(drctl, tmp_path) -> Path:
    """A directory of fresh keys, with a space in its name."""
    assert drctl("keys", "generate", "--out", str(tmp_path / "my keys")) == 0
    return tmp_path / "my keys"


def secrets_in(directory: Path) -> list[str]:
    return [key_text.in_file(path.read_text()).text for path in directory.iterdir()]


def test_generate_makes_four_private_files_and_shows_none_of_them(drctl, made):
    assert sorted(path.name for path in made.iterdir()) == ["escrow.agekey", "ops.agekey", "signer.key", "writer.key"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.iterdir()} == {0o600}
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert not [secret for secret in secrets_in(made) if secret[12:] in drctl.out + drctl.err]


def test_generate_prints_lines_that_dr_yaml_takes_and_that_lead_to_the_keys(drctl, made, tmp_path):
    printed = drctl.out.split("\nNext:")[0]
    (tmp_path / "dr.yaml").write_text(f"version: 1\nregions: {{a: {{url: file:///a}}}}\n{printed}")
    config = load_config(tmp_path / "dr.yaml")
    keys = keyset(config.encryption, config.signing, SecretSource({}, None))
    assert keys.identities == (key_text.in_file((made / "ops.agekey").read_text()).text,)
    assert keys.recipients == tuple(
        key_text.in_file((made / name).read_text()).public for name in ("ops.agekey", "escrow.agekey")
    )
    assert keys.trusted == (keys.signer.public,)
    assert len(keys.writer) == 32


def test_generate_says_what_to_do_next_in_words_that_can_be_copied(drctl, made):
    assert f"drctl keys escrow '{made}/escrow.agekey' --split 2-of-3" in drctl.out
    assert "leave `identity` out" in drctl.out


def test_generate_with_json_tells_public_values_and_places(drctl, tmp_path):
    code, document = drctl.json("keys", "generate", "--out", str(tmp_path / "k"), "--json")
    assert code == 0
    assert age.is_recipient(document["recipients"]["ops"])
    assert age.is_recipient(document["recipients"]["escrow"])
    assert signing.is_public_key(document["signer"])
    assert yaml.safe_load(document["yaml"])["encryption"]["recipients"] == list(document["recipients"].values())
    assert not [secret for secret in secrets_in(tmp_path / "k") if secret[12:] in json.dumps(document)]
    assert {Path(path).name for path in document["files"].values()} == set(document["files"])


def test_generate_replaces_nothing_and_needs_no_configuration(drctl, made):
    before = secrets_in(made)
    assert drctl("keys", "generate", "--out", str(made)) == 7
    assert secrets_in(made) == before
    assert drctl.loaded_from is None


@pytest.mark.parametrize("name", ["escrow.agekey", "writer.key", "signer.key"])
def test_a_key_goes_to_paper_and_comes_back_as_it_was(drctl, made, tmp_path, name):
    assert drctl("keys", "escrow", str(made / name), "--split", "2-of-3", "--out", str(tmp_path / "paper")) == 0
    pages = sorted((tmp_path / "paper").iterdir())
    assert [page.name for page in pages] == ["share-1-of-3.txt", "share-2-of-3.txt", "share-3-of-3.txt"]
    back = tmp_path / "back.key"
    assert drctl("keys", "escrow", "--recover", str(pages[2]), str(pages[0]), "--out", str(back)) == 0
    assert back.read_bytes() == (made / name).read_bytes()
    assert stat.S_IMODE(back.stat().st_mode) == 0o600
    assert drctl("keys", "escrow", "--recover", *map(str, pages)) == 0
    assert drctl.out == key_text.in_file((made / name).read_text()).text + "\n"


def test_with_json_places_are_told_and_no_secret(drctl, made, tmp_path):
    file = str(made / "signer.key")
    assert drctl.json("keys", "escrow", file, "--json")[0] == 2
    code, document = drctl.json("keys", "escrow", file, "--out", str(tmp_path / "p"), "--json")
    assert (code, len(document["pages"])) == (0, 1)
    assert signing.is_public_key(document["belongs_to"])
    assert drctl.json("keys", "escrow", "--recover", document["pages"][0], "--json")[0] == 2


def test_without_split_one_page_is_printed(drctl, made):
    assert drctl("keys", "escrow", str(made / "ops.agekey")) == 0
    assert "SHARE 1 OF 1" in drctl.out
    assert drctl.err == ""


def test_too_few_shares_are_exit_2_and_foreign_or_mistyped_ones_exit_4(drctl, made, tmp_path):
    for name in ("ops", "escrow"):
        out = str(tmp_path / name)
        assert drctl("keys", "escrow", str(made / f"{name}.agekey"), "--split", "2-of-2", "--out", out) == 0
    ops, escrow = tmp_path / "ops", tmp_path / "escrow"
    assert drctl("keys", "escrow", "--recover", str(ops / "share-1-of-2.txt")) == 2
    assert drctl("keys", "escrow", "--recover", *(str(at / "share-1-of-2.txt") for at in (ops, escrow))) == 4
    page = (ops / "share-1-of-2.txt").read_text()
    (tmp_path / "typed").write_text(page.replace(" 9 ", " 9 x"))
    assert drctl("keys", "escrow", "--recover", str(tmp_path / "typed"), str(ops / "share-2-of-2.txt")) == 4
    assert "word 9 is not on the list" in drctl.err


def test_a_page_of_another_key_is_noticed(drctl, made, tmp_path):
    drctl("keys", "escrow", str(made / "ops.agekey"), "--out", str(tmp_path / "p"))
    page = next((tmp_path / "p").iterdir())
    own, other = (key_text.in_file((made / f"{name}.agekey").read_text()).public for name in ("ops", "escrow"))
    page.write_text(page.read_text().replace(own, other))
    assert drctl("keys", "escrow", "--recover", str(page)) == 4
    assert "does not belong" in drctl.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 2),
        (["one", "two"], 2),
        (["no-such-file"], 5),
        (["{made}"], 2),
        (["{made}/ops.agekey", "--split", "three"], 2),
        (["{made}/ops.agekey", "--split", "1-of-3"], 2),
        (["{made}/ops.agekey", "--split", "3-of-2"], 2),
        (["--recover", "--split", "2-of-3", "{made}/ops.agekey"], 2),
        (["--recover", "{made}/ops.agekey"], 4),
        (["{made}/ops.agekey", "--out", "{made}"], 7),
    ],
)
def test_a_wrong_call_is_refused_without_a_secret(drctl, made, arguments, code):
    assert drctl("keys", "escrow", *(one.format(made=made) for one in arguments)) == code
    assert not [secret for secret in secrets_in(made) if secret[16:] in drctl.out + drctl.err]


def test_shares_come_through_a_pipe(made):
    drctl_process = [sys.executable, "-m", "dr_lib.cli", "keys", "escrow"]
    printed = subprocess.run(
        [*drctl_process, made / "ops.agekey", "--split", "3-of-3"], capture_output=True, check=True
    )
    back = subprocess.run([*drctl_process, "--recover"], input=printed.stdout, capture_output=True, check=True)
    assert back.stdout.decode().strip() in (made / "ops.agekey").read_text()


def test_shares_are_typed_in_and_a_slip_is_asked_for_again(drctl, made, tmp_path):
    drctl("keys", "escrow", str(made / "writer.key"), "--split", "2-of-3", "--out", str(tmp_path / "p"))
    from dr_lib.crypto.escrow_page import shares_in

    one, two, _ = (shares_in(page.read_text())[0] for page in sorted((tmp_path / "p").iterdir()))
    main, side = pty.openpty()
    command = [sys.executable, "-m", "dr_lib.cli", "keys", "escrow", "--recover", "--out", str(tmp_path / "back")]
    process = subprocess.Popen(command, stdin=side, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.write(main, f"{one}\nx{two}\n{two}\n".encode())
    out, err = process.communicate(timeout=60)
    os.close(main)
    os.close(side)
    assert process.returncode == 0, err
    assert b"word 1 is not on the list" in err
    assert err.count(b"share 2 of the 2") == 2
    assert (tmp_path / "back").read_bytes() == (made / "writer.key").read_bytes()
    assert b"writer key" in out


def test_list_shows_who_opens_what(drctl):
    drctl.runtime.answers["list_keys"] = LIST
    assert drctl("keys", "list", "--all") == 0
    assert drctl.runtime.calls["list_keys"] == {"every": True}
    for words in ("age1escrow", "ed25519:AAAA", "4 of 4 tried", "!! 1 run keys in a"):
        assert words in drctl.out
    assert drctl.json("keys", "list", "--json") == (0, LIST)


def test_list_ends_with_the_code_of_a_region_that_does_not_answer(drctl):
    drctl.runtime.answers["list_keys"] = {**LIST, "regions": [*LIST["regions"], SILENT]}
    assert drctl("keys", "list") == 6
    assert "b: no answer [region b]" in drctl.out


def test_list_says_what_is_not_there(drctl):
    nothing = {"recipients": [], "identities": [], "trusted": [], "regions": [], "problems": [], "signer": None}
    drctl.runtime.answers["list_keys"] = {**LIST, **nothing, "writer": False}
    assert drctl("keys", "list") == 0
    assert "nothing is sealed" in drctl.out
    assert drctl.out.count("none") == 4


def test_rotate_counts_and_warns(drctl):
    drctl.runtime.answers["rotate_keys"] = {"regions": [ROTATED], "warnings": ["the old ones stay readable"]}
    assert drctl("keys", "rotate", "--region", "a") == 0
    assert drctl.runtime.calls["rotate_keys"] == {"region": "a"}
    assert "WARNING: the old ones stay readable" in drctl.out


@pytest.mark.parametrize("name", ["generate", "escrow", "list", "rotate"])
def test_help_shows_examples(drctl, name):
    assert drctl("keys", name, "--help") == 0
    assert f"drctl keys {name}" in drctl.out.split("Examples")[1]


def test_completion_offers_the_commands_of_the_group():
    environment = {**os.environ, "_DRCTL_COMPLETE": "complete_bash", "COMP_WORDS": "drctl keys ", "COMP_CWORD": "2"}
    result = subprocess.run(
        [sys.executable, "-m", "dr_lib.cli"], env=environment, capture_output=True, text=True, check=True
    )
    assert set(result.stdout.split()) == {"generate", "escrow", "list", "rotate"}
