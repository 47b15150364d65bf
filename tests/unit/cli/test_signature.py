"""`drctl signature` needs no configuration, and says in its exit code whether a signature holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.provenance.signers import Signer, new_signer


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return new_signer(tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights").write_bytes(b"weights")
    return folder


def test_what_was_signed_is_verified(drctl, model, signer):
    assert drctl("signature", "sign", str(model), "--key", str(signer.key)) == 0
    assert (model / "model.sig").stat().st_size > 0
    code, document = drctl.json("signature", "verify", str(model), "--public-key", str(signer.public), "--json")
    assert (code, document) == (0, {"directory": str(model), "signature": "verified"})
    assert drctl.loaded_from is None


def test_what_does_not_hold_is_exit_code_4(drctl, model, signer):
    drctl("signature", "sign", str(model), "--key", str(signer.key))
    (model / "weights").write_bytes(b"others")
    assert drctl("signature", "verify", str(model), "--public-key", str(signer.public)) == 4
    assert "'weights'" in drctl.err
    assert "digest" not in drctl.err


@pytest.mark.parametrize("extra", [[], ["--public-key", "a.pem", "--certificate", "b.pem"]])
def test_exactly_one_way_to_know_the_signer_is_given(drctl, model, extra):
    assert drctl("signature", "verify", str(model), *extra) == 2


def test_a_second_signature_and_an_unfit_key_are_told_apart(drctl, model, signer):
    assert drctl("signature", "sign", str(model), "--key", str(signer.public)) == 2
    drctl("signature", "sign", str(model), "--key", str(signer.key))
    assert drctl("signature", "sign", str(model), "--key", str(signer.key)) == 7
