"""Secrets wrapped to people: the `age` command opens ours, we open its, and damage never passes for content."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dr_lib.crypto import age
from dr_lib.errors import IntegrityError

from .conftest import AgeCommand

SECRET = bytes(range(32))
OPS, ESCROW, STRANGER = (age.new_identity() for _ in range(3))


def opened(wrapped: bytes, identity: str) -> bytes | type[IntegrityError] | None:
    try:
        return age.unwrap(wrapped, [identity])
    except IntegrityError:
        return IntegrityError


def test_a_fresh_identity_belongs_to_its_recipient_and_to_no_other():
    assert age.recipient_of(OPS[0]) == OPS[1]
    assert len({OPS, ESCROW, STRANGER}) == 3
    assert (OPS[0][:16], OPS[1][:4]) == ("AGE-SECRET-KEY-1", "age1")


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200), st.integers(1, 4))
def test_each_of_the_recipients_alone_opens_it(secret, count):
    pairs = [age.new_identity() for _ in range(count)]
    wrapped = age.wrap(secret, [recipient for _, recipient in pairs])
    assert [opened(wrapped, identity) for identity, _ in pairs] == [secret] * count
    assert opened(wrapped, STRANGER[0]) is None
    assert age.unwrap(wrapped, [STRANGER[0], pairs[-1][0]]) == secret


def test_without_an_identity_nothing_opens():
    assert age.unwrap(age.wrap(SECRET, [OPS[1]]), []) is None


def test_no_turned_bit_gives_anything_to_read():
    """Turned bits in the line that says whom it is for are taken for somebody else's file: the rest says damage."""
    wrapped = age.wrap(SECRET, [OPS[1], ESCROW[1]])
    for bit in range(8 * len(wrapped)):
        damaged = bytearray(wrapped)
        damaged[bit // 8] ^= 1 << bit % 8
        assert opened(bytes(damaged), OPS[0]) in (None, IntegrityError), bit


def test_what_is_cut_short_or_runs_on_is_damage():
    wrapped = age.wrap(SECRET, [OPS[1]])
    for length in range(len(wrapped)):
        with pytest.raises(IntegrityError):
            age.unwrap(wrapped[:length], [OPS[0]])
    with pytest.raises(IntegrityError):
        age.unwrap(wrapped + b"x", [OPS[0]])


@pytest.mark.parametrize("recipients", [[], ["age1nobody"], [OPS[1], ""]])
def test_a_secret_is_wrapped_to_all_of_the_recipients_or_not_at_all(recipients):
    with pytest.raises(ValueError, match="cannot wrap"):
        age.wrap(SECRET, recipients)


def test_what_is_no_identity_is_not_repeated():
    text = OPS[0][:-1] + ("Q" if OPS[0][-1] != "Q" else "P")
    for work in (lambda: age.recipient_of(text), lambda: age.unwrap(age.wrap(SECRET, [OPS[1]]), [text])):
        with pytest.raises(ValueError) as caught:
            work()
        assert text[16:30] not in f"{caught.value}{caught.value.__cause__}"
        assert caught.value.__suppress_context__


def test_recipients_are_told_from_everything_else():
    assert age.is_recipient(OPS[1])
    assert not any(map(age.is_recipient, (OPS[0], "", "age1", OPS[1][:-1], OPS[1] + "q", "ssh-ed25519 AAAA")))


def test_a_fingerprint_names_a_set_of_recipients():
    prints = {age.fingerprint(who) for who in ([OPS[1], ESCROW[1]], [ESCROW[1], OPS[1]])}
    assert prints != {age.fingerprint([OPS[1]])}
    assert [len(name) for name in prints] == [8]


def test_the_age_command_opens_what_we_wrap(age_command: AgeCommand, tmp_path: Path):
    wrapped = age.wrap(SECRET, [OPS[1], ESCROW[1]])
    for identity, opens in ((OPS[0], True), (ESCROW[0], True), (STRANGER[0], False)):
        (tmp_path / "key").write_text(identity)
        done = age_command("--decrypt", "--identity", "key", given=wrapped)
        assert (done.returncode == 0, done.stdout) == (opens, SECRET if opens else b""), done.stderr


def test_we_open_what_the_age_command_wraps(age_command: AgeCommand):
    done = age_command("--recipient", OPS[1], "--recipient", ESCROW[1], given=SECRET)
    assert [opened(done.stdout, who) for who, _ in (OPS, ESCROW, STRANGER)] == [SECRET, SECRET, None]


def test_a_file_under_a_passphrase_is_not_ours_to_guess(age_command: AgeCommand):
    done = age_command("--recipient", STRANGER[1], given=SECRET)
    scrypt = b"age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 18\n" + done.stdout.split(b"\n", 2)[2]
    assert opened(scrypt, OPS[0]) in (None, IntegrityError)
