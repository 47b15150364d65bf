"""Bech32 by the test vectors of BIP-173, and both ways for age's keys."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dr_lib.crypto import age, bech32

SOUND = (
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    f"11{'q' * 82}c8247j",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    "?1ezyfcl",
)
ODD = (
    "\x201nwldj5",
    "\x7f1axkwrx",
    "\x801eym55h",
    "pzry9x0s0muk",
    "1pzry9x0s0muk",
    "x1b4n0q5v",
    "li1dgmt3",
    "de1lg7wt\xff",
    "A1G7SGD8",
    "10a06t8",
    "1qzzfhee",
    "A12uEL5L",
    "",
    "1",
)


@pytest.mark.parametrize("text", SOUND)
def test_the_sound_vectors_are_read(text):
    prefix, _ = bech32.parts(text)
    assert prefix == text.lower().rpartition("1")[0]


def test_the_groups_are_the_alphabet_in_order():
    assert bech32.parts(SOUND[3]) == ("abcdef", list(range(32)))


@pytest.mark.parametrize("text", ODD)
def test_the_odd_vectors_are_refused(text):
    with pytest.raises(ValueError):
        bech32.parts(text)


@given(st.binary(max_size=60), st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20))
def test_bytes_come_back_in_either_case(data, prefix):
    text = bech32.encode(prefix, data)
    assert bech32.decode(text) == bech32.decode(text.upper()) == (prefix, data)


def test_text_that_is_no_whole_bytes_is_refused():
    fives = [31]
    check = bech32._polymod([*bech32._expanded("a"), *fives, *[0] * 6]) ^ 1
    text = "a1" + "".join(
        bech32._ALPHABET[five] for five in [*fives, *(check >> 5 * at & 31 for at in range(5, -1, -1))]
    )
    assert bech32.parts(text) == ("a", fives)
    with pytest.raises(ValueError, match="last bits"):
        bech32.decode(text)


def test_it_writes_what_the_age_library_writes():
    for _ in range(20):
        identity, recipient = age.new_identity()
        prefix, raw = bech32.decode(identity)
        assert bech32.encode(prefix, raw).upper() == identity
        assert bech32.encode(*bech32.decode(recipient)) == recipient
        assert len(raw) == 32
