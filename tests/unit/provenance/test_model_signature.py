"""Our model signatures and the library's own command understand each other, and what was changed is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from model_signing import hashing, signing

from dr_lib.errors import AlreadyExists, IntegrityError, NotFound, UsageError
from dr_lib.model.asset import SignaturePolicy
from dr_lib.provenance.model_signature import SIGNATURE, sign, verify
from tests.unit.provenance.signers import Signer, new_authority, new_signer


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return new_signer(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    root = tmp_path / "a model"
    (root / "1_Pooling").mkdir(parents=True)
    (root / "weights").write_bytes(os.urandom(50_000))
    (root / "1_Pooling/config.json").write_text("{}")
    return root


def by(signer: Signer) -> SignaturePolicy:
    return SignaturePolicy(signer.public, ())


def library(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command that the library brings."""
    command = [sys.executable, "-m", "model_signing", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_librarys_command_verifies_what_we_sign(model: Path, signer: Signer):
    path = sign(model, signer.key)
    asked = ("verify", "key", model, "--signature", path, "--public_key", signer.public)
    assert library(*asked).returncode == 0
    (model / "weights").write_bytes(b"others")
    assert library(*asked).returncode == 1


@pytest.mark.parametrize("place", [f"a model/{SIGNATURE}", SIGNATURE], ids=["into it", "beside it, then moved in"])
def test_we_verify_what_the_librarys_command_signs(model: Path, signer: Signer, place: str):
    place = model.parent / place
    assert library("sign", "key", model, "--signature", place, "--private_key", signer.key).returncode == 0
    shutil.move(place, model / SIGNATURE)
    verify(model, by(signer))


@pytest.mark.parametrize(
    "serialize",
    [
        lambda config: config.use_file_serialization(hashing_algorithm="blake3"),
        lambda config: config.use_file_serialization(hashing_algorithm="blake2"),
        lambda config: config.use_shard_serialization(hashing_algorithm="blake2", shard_size=1 << 20),
    ],
    ids=["blake3", "blake2", "shards"],
)
def test_other_ways_to_hash_are_understood(model: Path, signer: Signer, serialize: Callable[[hashing.Config], object]):
    config = hashing.Config()
    serialize(config)
    signing.Config().use_elliptic_key_signer(private_key=signer.key).set_hashing_config(config).sign(
        model, model.parent / SIGNATURE
    )
    shutil.move(model.parent / SIGNATURE, model / SIGNATURE)
    verify(model, by(signer))
    (model / "weights").write_bytes(b"others")
    with pytest.raises(IntegrityError):
        verify(model, by(signer))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: (root / "weights").write_bytes(b"others"), "weights"),
        (lambda root: (root / "1_Pooling/config.json").unlink(), "config.json"),
        (lambda root: (root / "1_Pooling/more").touch(), "more"),
        (lambda root: (root / "weights").rename(root / "moved"), "moved"),
        (lambda root: (root / "link").symlink_to("weights"), "link"),
        (lambda root: (root / SIGNATURE).write_text("{}"), "dsseEnvelope"),
        (lambda root: (root / SIGNATURE).write_bytes(b"\xff\0"), "."),
        (lambda root: (root / SIGNATURE).write_text("[" * 100_000), "."),
    ],
)
def test_what_is_not_what_was_signed_is_refused(
    model: Path, signer: Signer, change: Callable[[Path], object], said: str
):
    sign(model, signer.key)
    change(model)
    with pytest.raises(IntegrityError, match=rf"does not hold: (?s:.*){said}"):
        verify(model, by(signer))


def test_what_another_key_signed_is_refused(model: Path, signer: Signer, tmp_path: Path):
    sign(model, new_signer(tmp_path, "other").key)
    with pytest.raises(IntegrityError, match="does not hold"):
        verify(model, by(signer))


def test_a_signature_over_other_bytes_with_our_claim_is_refused(model: Path, signer: Signer):
    """The payload is what is signed: one with another digest in it is not."""
    bundle = json.loads(sign(model, signer.key).read_bytes())
    (model / SIGNATURE).unlink()
    (model / "weights").write_bytes(b"others")
    other = json.loads(sign(model, signer.key).read_bytes())
    bundle["dsseEnvelope"]["payload"] = other["dsseEnvelope"]["payload"]
    (model / SIGNATURE).write_text(json.dumps(bundle))
    with pytest.raises(IntegrityError, match="does not hold"):
        verify(model, by(signer))


def test_what_a_signature_does_not_cover_may_differ(model: Path, signer: Signer):
    sign(model, signer.key)
    (model / ".git").mkdir()
    (model / ".git/HEAD").touch()
    (model / "empty").mkdir()
    (model / "weights").chmod(0o600)
    verify(model, by(signer))


def test_a_missing_signature_and_a_missing_directory_are_told_apart(model: Path, signer: Signer):
    with pytest.raises(IntegrityError, match="demands one"):
        verify(model, by(signer))
    with pytest.raises(NotFound):
        verify(model / "nowhere", by(signer))
    with pytest.raises(NotFound):
        sign(model / "nowhere", signer.key)


def test_certificates_of_the_right_root_are_trusted(model: Path, tmp_path: Path):
    ours, others = new_authority(tmp_path), new_authority(tmp_path, "others")
    signed = library(
        "sign", "certificate", model, "--signature", model / SIGNATURE, "--private_key", ours.key,
        "--signing_certificate", ours.certificate, "--certificate_chain", ours.root,
    )  # fmt: skip
    assert signed.returncode == 0, signed.stderr
    verify(model, SignaturePolicy(None, (ours.root,)))
    with pytest.raises(IntegrityError, match="does not hold"):
        verify(model, SignaturePolicy(None, (others.root,)))


def test_a_directory_is_signed_once(model: Path, signer: Signer):
    before = sign(model, signer.key).read_bytes()
    with pytest.raises(AlreadyExists):
        sign(model, signer.key)
    assert (model / SIGNATURE).read_bytes() == before


def test_unfit_keys_are_our_mistake_and_not_damage(model: Path, signer: Signer, tmp_path: Path):
    (tmp_path / "text.pem").write_text("no key")
    for unfit in (tmp_path / "text.pem", tmp_path / "missing.pem", signer.public):
        with pytest.raises(UsageError, match="cannot be used"):
            sign(model, unfit)
    assert not (model / SIGNATURE).exists()
    sign(model, signer.key)
    for policy in (SignaturePolicy(signer.key, ()), SignaturePolicy(None, (tmp_path / "missing.pem",))):
        with pytest.raises(UsageError, match="cannot be used"):
            verify(model, policy)


def test_a_tree_with_links_is_not_signed(model: Path, signer: Signer):
    (model / "link").symlink_to("weights")
    with pytest.raises(UsageError, match="cannot be signed"):
        sign(model, signer.key)
    assert not (model / SIGNATURE).exists()
