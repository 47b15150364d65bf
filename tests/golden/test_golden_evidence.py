"""The bytes of evidence, version 2: what was written once is written again the same, and is read for ever."""

from __future__ import annotations

import os
from pathlib import Path

from dr_lib.crypto import signing
from dr_lib.crypto.keyset import Keyset
from dr_lib.format import layout
from dr_lib.model.evidence import Link
from dr_lib.storage.memory import MemoryStore
from dr_lib.vault.evidence import evidence_keys, record_evidence
from dr_lib.vault.vault import Vault
from dr_lib.workflows.evidence.gather import read_piece
from tests.drills import report
from tests.golden.keys import secret

FILE = Path(__file__).parent / "evidence-v2.json"
BEFORE = Link(layout.evidence_key("minilm", report(0).drill), "0f" * 32)


def golden_vault() -> Vault:
    signer = signing.signer(secret("signer").text)
    return Vault("eu-west", MemoryStore(), Keyset(signer=signer, trusted=(signer.public,)), (signer.public,))


def test_evidence_is_written_byte_for_byte_as_ever():
    vault = golden_vault()
    data = vault.store.get(record_evidence(vault, report(1), BEFORE))
    if os.environ.get("DR_GOLDEN_UPDATE") == "1":
        FILE.write_bytes(data)
    assert data == FILE.read_bytes()


def test_the_golden_evidence_is_read_and_holds():
    vault = golden_vault()
    key = layout.evidence_key("minilm", report(1).drill)
    vault.store.create(key, FILE.read_bytes())
    piece = read_piece(vault, "minilm", *evidence_keys(vault, "minilm"), FILE.read_bytes())
    assert piece.past.previous == BEFORE
    assert piece.entry.chained
    assert piece.signers == (signing.key_id(vault.access.trusted[0]),)
