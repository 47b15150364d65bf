"""Keys on paper: any k of n shares give the key back, fewer or foreign ones never another, and slips are named."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shamir_mnemonic import combine_mnemonics
from shamir_mnemonic.wordlist import WORDLIST

from dr_lib.crypto import age, escrow, escrow_page, key_text, signing
from dr_lib.crypto.keyset import new_writer_key
from dr_lib.errors import IntegrityError, UsageError

KEYS = [key_text.parse(text) for text in (age.new_identity()[0], new_writer_key(), signing.new_signing_key())]
KEY, OTHER = KEYS[0], key_text.parse(age.new_identity()[0])
SHARES = escrow.split(KEY, 3, 5)
slow = settings(max_examples=15, deadline=None)


def changed(share: str, place: int, word: str) -> str:
    words = share.split()
    return " ".join([*words[:place], word, *words[place + 1 :]])


def another(share: str, place: int, by: int = 1) -> str:
    return changed(share, place, WORDLIST[(WORDLIST.index(share.split()[place]) + by) % len(WORDLIST)])


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.kind.name)
@pytest.mark.parametrize(("needed", "total"), [(1, 1), (2, 2), (2, 3), (16, 16)])
def test_enough_shares_give_the_very_key_back(key, needed, total):
    shares = escrow.split(key, needed, total)
    assert [len(share.split()) for share in shares] == [escrow.WORDS] * total
    assert [escrow.needed(share) for share in shares] == [needed] * total
    assert escrow.recover(shares[-needed:]) == key


def test_any_k_of_n_in_any_order_will_do_and_so_will_more():
    for chosen in itertools.combinations(SHARES[::-1], 3):
        assert escrow.recover(chosen) == KEY
    assert escrow.recover([*SHARES, SHARES[0]]) == KEY


def test_a_plain_slip_39_program_recovers_the_bytes():
    assert combine_mnemonics(SHARES[1:4]) == KEY.raw


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_shares_are_exit_2(count):
    with pytest.raises(UsageError):
        escrow.recover(SHARES[:count])


def test_one_share_given_often_is_one_share():
    with pytest.raises(UsageError, match="twice"):
        escrow.recover([SHARES[0], SHARES[1], SHARES[1]])


@pytest.mark.parametrize(("needed", "total"), [(1, 2), (0, 1), (0, 0), (3, 2), (2, 17), (-1, 3)])
def test_a_split_that_shares_nothing_is_refused(needed, total):
    with pytest.raises(UsageError):
        escrow.split(KEY, needed, total)


@pytest.mark.parametrize("key", [KEY, OTHER], ids=["of the same key", "of another key"])
@pytest.mark.parametrize(("needed", "total"), [(3, 5), (2, 3)])
def test_shares_of_different_splits_do_not_fit_together(key, needed, total):
    foreign = escrow.split(key, needed, total)
    for mixed in ([*SHARES[:2], foreign[2]], [*SHARES[:4], foreign[0]], [foreign[2], *SHARES[:3]]):
        with pytest.raises(IntegrityError, match="fit together"):
            escrow.recover(mixed)


def test_a_foreign_share_under_the_same_identifier_shows_even_where_the_others_are_enough(monkeypatch):
    monkeypatch.setattr(escrow.secrets, "randbits", lambda _bits: 7)
    one, two = escrow.split(KEY, 2, 3), escrow.split(OTHER, 2, 3)
    for mixed in ([one[0], two[1]], [one[0], one[1], two[2]], [one[0], two[0]], [one[0], one[1], two[1]]):
        with pytest.raises(IntegrityError, match="fit together"):
            escrow.recover(mixed)
    assert escrow.recover(one) == KEY


@slow
@given(st.integers(0, escrow.WORDS - 1), st.integers(1, len(WORDLIST) - 1))
def test_a_wrong_word_is_named_by_its_place_and_not_repeated(place, by):
    wrong = another(SHARES[0], place, by)
    with pytest.raises(IntegrityError) as caught:
        escrow.recover([SHARES[1], wrong, SHARES[2]])
    assert caught.value.where == "share 2"
    if "changed places" not in caught.value.what:
        assert caught.value.what == f"a share is wrong: word {place + 1} is wrong"
    assert not set(str(caught.value).split()) & set(wrong.split())


@pytest.mark.parametrize("word", ["xyzzy", "ACADEMICS", "äcid", "12345"])
def test_a_word_that_is_none_is_named_by_its_place_and_not_repeated(word):
    with pytest.raises(IntegrityError, match="word 7 is not on the list") as caught:
        escrow.recover([changed(SHARES[0], 6, word)])
    assert word not in str(caught.value)


def test_neighbours_that_changed_places_are_named():
    words = SHARES[0].split()
    words[4], words[5] = words[5], words[4]
    with pytest.raises(IntegrityError, match="words 5 and 6 changed places"):
        escrow.recover([" ".join(words)])


@slow
@given(st.sets(st.integers(0, escrow.WORDS - 1), min_size=2, max_size=3), st.integers(1, 1000))
def test_two_or_three_wrong_words_are_always_noticed(places, by):
    share = SHARES[0]
    for place in places:
        share = another(share, place, by)
    with pytest.raises(IntegrityError):
        escrow.recover([share, *SHARES[1:]])


@pytest.mark.parametrize("edit", [lambda w: w[1:], lambda w: [*w, w[0]], lambda _: [], lambda w: w * 2])
def test_missing_and_surplus_words_are_counted(edit):
    words = edit(SHARES[0].split())
    with pytest.raises(IntegrityError, match=f"it has {len(words)} words and not 33"):
        escrow.recover([" ".join(words)])


def test_a_share_of_what_drctl_did_not_split_is_refused(monkeypatch):
    monkeypatch.setattr(escrow, "_KINDS", (None, None, None, KEY.kind))
    strange = escrow.split(KEY, 1, 1)
    monkeypatch.undo()
    with pytest.raises(IntegrityError, match="did not split"):
        escrow.recover(strange)


def test_a_page_says_what_it_is_and_is_read_back():
    shares = escrow.split(KEY, 2, 3)
    pages = escrow_page.pages(KEY, shares, 2)
    assert "drctl keys escrow --recover" in pages[1]
    assert "SHARE 2 OF 3" in pages[1]
    assert "any 2 of the 3 shares" in pages[1]
    assert max(len(line) for page in pages for line in page.splitlines()) <= 102
    assert escrow_page.owners_in("\f".join(pages)) == {KEY.public}
    for joint in ("\f", "\n", "\n\n"):
        assert escrow_page.shares_in(joint.join(pages)) == shares


def test_the_only_page_says_that_it_is_enough():
    (page,) = escrow_page.pages(KEY, escrow.split(KEY, 1, 1), 1)
    assert "this page alone gives the key" in page


@pytest.mark.parametrize("joint", ["\n", "\n\n", "\n# the next one\n\n"])
def test_bare_words_are_read_a_share_a_line(joint):
    assert escrow_page.shares_in(joint.join(SHARES)) == SHARES


def test_bare_words_are_read_a_share_a_paragraph():
    words = SHARES[0].split()
    folded = "\n".join(" ".join(words[at : at + 6]) for at in range(0, len(words), 6))
    assert escrow_page.shares_in(f"{folded}\n\n  {folded}\n") == [SHARES[0]] * 2


def test_typed_numbers_may_have_dots_and_odd_spaces():
    words = SHARES[0].upper().split()
    typed = "\n".join(f" {place}.   {word}" for place, word in enumerate(words, 1))
    assert escrow.recover([*escrow_page.shares_in(typed), *SHARES[1:3]]) == KEY


def test_a_lost_word_on_a_page_is_missed():
    page = escrow_page.pages(KEY, SHARES, 3)[0]
    word = SHARES[0].split()[16]
    with pytest.raises(IntegrityError):
        escrow.recover([*escrow_page.shares_in(page.replace(f"17 {word}", "")), *SHARES[1:]])


def test_random_words_are_no_share():
    source = random.Random(5)
    for _ in range(5):
        with pytest.raises(IntegrityError):
            escrow.recover([" ".join(source.choices(WORDLIST, k=escrow.WORDS))])
