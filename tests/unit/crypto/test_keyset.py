"""The keys of one process: no way of printing them shows a secret, and no message repeats one."""

from __future__ import annotations

import base64
import pickle
import traceback

import pytest

from dr_lib.crypto import age, signing
from dr_lib.crypto.keyset import CLEAR, WRITER_PREFIX, Keyset, new_writer_key, writer_key

IDENTITY, RECIPIENT = age.new_identity()
WRITER = new_writer_key()
SEED = signing.new_signing_key()
SIGNER = signing.signer(SEED)
KEYS = Keyset((RECIPIENT,), (IDENTITY,), writer_key(WRITER), SIGNER, (SIGNER.public,))
SECRETS = (IDENTITY[16:], WRITER.removeprefix(WRITER_PREFIX), SEED.removeprefix(signing.SEED_PREFIX))


@pytest.mark.parametrize("show", [repr, str, "{0}".format, "%s".__mod__], ids=["repr", "str", "format", "percent"])
@pytest.mark.parametrize("holder", [KEYS, SIGNER, (KEYS, [SIGNER])], ids=["keyset", "signer", "nested"])
def test_no_way_of_showing_keys_shows_a_secret(show, holder):
    shown = show(holder) if not (isinstance(holder, tuple) and show == "%s".__mod__) else show((holder,))
    assert SIGNER.public in shown
    assert not [secret for secret in SECRETS if secret in shown]
    assert repr(writer_key(WRITER)) not in shown


def test_a_failure_with_keys_in_it_shows_no_secret():
    with pytest.raises(AttributeError) as caught:
        KEYS.writer.no_such_thing  # noqa: B018
    told = "".join(traceback.format_exception(caught.value))
    assert not [secret for secret in SECRETS if secret in told]


def test_a_signer_does_not_travel_to_other_processes():
    with pytest.raises(TypeError):
        pickle.dumps(SIGNER)


def test_a_vault_is_sealed_where_there_are_recipients():
    assert KEYS.seals
    assert not CLEAR.seals


def test_a_writer_key_is_read_from_its_text():
    assert len(writer_key(WRITER)) == 32
    assert writer_key(WRITER) != writer_key(new_writer_key())


@pytest.mark.parametrize(
    "text",
    ["", WRITER_PREFIX, WRITER[:-4], WRITER + "=", WRITER.removeprefix(WRITER_PREFIX), SEED, f"{WRITER}é"],
    ids=["empty", "prefix alone", "cut short", "too long", "no prefix", "of a signer", "one more letter"],
)
def test_what_is_no_writer_key_is_not_repeated(text):
    with pytest.raises(ValueError, match=WRITER_PREFIX) as caught:
        writer_key(text)
    assert SECRETS[1][:12] not in f"{caught.value!r}{caught.value.__context__!r}"


def test_a_writer_key_of_another_length_is_none():
    with pytest.raises(ValueError):
        writer_key(WRITER_PREFIX + base64.b64encode(b"x" * 31).decode())
