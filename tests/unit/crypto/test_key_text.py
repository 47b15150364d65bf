"""One secret a file: three kinds, told apart by their beginning, shown by their public part alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dr_lib.crypto import age, key_text, signing
from dr_lib.crypto.key_text import Kind
from dr_lib.crypto.keyset import new_writer_key, writer_key

from .conftest import AgeCommand

IDENTITY, RECIPIENT = age.new_identity()
SEED, WRITER = signing.new_signing_key(), new_writer_key()
KINDS = {IDENTITY: Kind.IDENTITY, SEED: Kind.SIGNER, WRITER: Kind.WRITER}
each = pytest.mark.parametrize("text", KINDS, ids=[kind.name for kind in KINDS.values()])


@each
def test_a_key_comes_back_from_its_32_bytes_and_from_its_file(text):
    key = key_text.parse(text)
    assert (key.kind, len(key.raw)) == (KINDS[text], 32)
    assert key_text.from_raw(key.kind, key.raw) == key_text.in_file(key_text.file_of(key)) == key
    assert key_text.in_file(f"\n# a comment\n\n  {text}  \n") == key


@each
def test_only_the_public_part_is_shown(text):
    key = key_text.parse(text)
    assert key.public in repr(key)
    assert text[-40:] not in repr(key)
    assert repr(key.raw) not in repr(key)


def test_the_public_part_is_what_others_know_the_key_by():
    assert key_text.parse(IDENTITY).public == RECIPIENT
    assert key_text.parse(SEED).public == signing.signer(SEED).public
    assert key_text.parse(WRITER).public != key_text.parse(new_writer_key()).public
    assert writer_key(WRITER).hex() not in key_text.parse(WRITER).public


@each
@pytest.mark.parametrize("spoil", [lambda t: t[:-6], lambda t: t[8:], lambda t: f"{t}\n{t}", lambda t: f"# {t}"])
def test_a_file_that_holds_no_key_or_two_is_refused_and_not_repeated(text, spoil):
    with pytest.raises(ValueError) as caught:
        key_text.in_file(spoil(text))
    assert text[30:42] not in str(caught.value)


def test_the_age_command_reads_the_file_of_an_identity(age_command: AgeCommand, tmp_path: Path):
    (tmp_path / "ops.agekey").write_text(key_text.file_of(key_text.parse(IDENTITY)))
    done = age_command("--decrypt", "--identity", "ops.agekey", given=age.wrap(b"secret", [RECIPIENT]))
    assert done.stdout == b"secret", done.stderr
