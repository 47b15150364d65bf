"""Secrets as words on paper: SLIP-39 shares, of which any k of n give the secret back and fewer tell nothing.

A share's words hold the 32 raw bytes of the secret, no passphrase. The two low bits of SLIP-39's random identifier say
which kind of secret it is, so that the words alone are enough; any SLIP-39 program recovers the bytes.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from shamir_mnemonic import EncryptedMasterSecret, MnemonicError, Share, rs1024, split_ems
from shamir_mnemonic.shamir import ShareGroup, recover_ems
from shamir_mnemonic.wordlist import WORD_INDEX_MAP

from dr_lib.crypto import key_text
from dr_lib.crypto.key_text import Kind, SecretKey
from dr_lib.errors import IntegrityError, UsageError

WORDS: Final = 33
"""Words of a share."""
MOST_SHARES: Final = 16
_WORD_BITS: Final = 10
_KIND_BITS: Final = 2
_KINDS: Final = (Kind.IDENTITY, Kind.WRITER, Kind.SIGNER)
_CUSTOMIZATION: Final = b"shamir_extendable"
_TO_MEND: Final = "compare it with the paper, word by word"


def split(key: SecretKey, needed: int, total: int) -> list[str]:
    """`total` shares as words, any `needed` of which give the key back; they were read back before they are returned.

    `UsageError` (2) unless it is 1 of 1, or 2 <= needed <= total <= 16: several whole copies are no shares.
    """
    if not ((needed, total) == (1, 1) or 2 <= needed <= total <= MOST_SHARES):
        hint = f"write 1-of-1, or k-of-n with 2 <= k <= n <= {MOST_SHARES}"
        raise UsageError(f"a key cannot be split {needed} of {total}", hint=hint)
    identifier = secrets.randbits(15 - _KIND_BITS) << _KIND_BITS | _KINDS.index(key.kind)
    sealed = EncryptedMasterSecret.from_master_secret(key.raw, b"", identifier, extendable=True, iteration_exponent=0)
    shares = [share.mnemonic() for share in split_ems(1, [(needed, total)], sealed)[0]]
    if recover(shares).raw != key.raw:
        raise IntegrityError("the shares do not give the key back")
    return shares


def needed(share: str) -> int:
    """How many shares this one says are needed; errors as `read`."""
    return int(read(share, 1).member_threshold)


def recover(shares: Sequence[str]) -> SecretKey:
    """The key of at least as many shares as are needed, in any order; all of them must fit together.

    `IntegrityError` (4) names the share and, where it can be told, the word that is wrong; `UsageError` (2) says how
    many are missing. No message repeats a word.
    """
    found = [read(text, number) for number, text in enumerate(shares, 1)]
    if not found:
        raise UsageError("there is no share", hint="give the files with the shares' words, or type them in")
    _must_belong_together(found)
    distinct = sorted(set(found), key=lambda share: share.index)
    least = found[0].member_threshold
    if len(distinct) < least:
        same = " (one was given twice)" if len(distinct) < len(found) else ""
        raise UsageError(f"{least} shares are needed, and there are {len(distinct)}{same}", hint="bring more shares")
    # Every share takes part in one of the tries, so that a foreign one shows even where the others are enough.
    keys = {_combined(distinct[at : at + least]) for at in range(len(distinct) - least + 1)}
    if len(keys) != 1:
        raise _unfit()
    return key_text.from_raw(_KINDS[found[0].identifier % (1 << _KIND_BITS)], keys.pop())


def read(text: str, number: int) -> Share:
    """One share; `IntegrityError` (4) says what is wrong with it, naming it by its number."""
    words = text.lower().split()
    unknown = [place for place, word in enumerate(words, 1) if word not in WORD_INDEX_MAP]
    if unknown:
        raise _wrong(number, f"word {_listed(unknown)} is not on the list of words")
    if len(words) != WORDS:
        raise _wrong(number, f"it has {len(words)} words and not {WORDS}")
    indices = [WORD_INDEX_MAP[word] for word in words]
    if _syndrome(indices):
        raise _wrong(number, _misread(indices))
    try:
        share = Share.from_mnemonic(text)
    except MnemonicError as error:
        raise _wrong(number, "its words are no share") from error
    if share.identifier % (1 << _KIND_BITS) >= len(_KINDS) or (share.group_threshold, share.group_count) != (1, 1):
        raise _wrong(number, "it is a share of something that drctl did not split")
    return share


def _must_belong_together(shares: Sequence[Share]) -> None:
    odd = [number for number, share in enumerate(shares, 1) if share.group_parameters() != shares[0].group_parameters()]
    if odd:
        raise _unfit(f"share {_listed(odd)} and share 1")
    places = {share.index for share in shares}
    if len(places) < len(set(shares)):
        raise _unfit()


def _combined(shares: Sequence[Share]) -> bytes:
    group = ShareGroup()
    for share in shares:
        group.add(share)
    try:
        return bytes(recover_ems({0: group}).decrypt(b""))
    except MnemonicError as error:
        raise _unfit() from error


def _misread(words: Sequence[int]) -> str:
    """What a check that does not fit is probably due to: one word, or two neighbours that changed places.

    Only where, never which word would be right: SLIP-39 forbids that, for a guess could be the wrong one.
    """
    swapped = [
        at
        for at in range(1, len(words))
        if not _syndrome([*words[: at - 1], words[at], words[at - 1], *words[at + 1 :]])
    ]
    if len(swapped) == 1:
        return f"words {swapped[0]} and {swapped[0] + 1} changed places"
    single = [at for at in range(len(words)) if _syndrome(words) in _reach(words, at)]
    if len(single) == 1:
        return f"word {single[0] + 1} is wrong"
    return "its check does not fit: several words are wrong"


def _reach(words: Sequence[int], at: int) -> set[int]:
    """What the syndrome can become when one word is another: the check is linear, so ten single bits tell all of it."""
    reached = {0}
    for bit in range(_WORD_BITS):
        effect = _syndrome([*words[:at], words[at] ^ 1 << bit, *words[at + 1 :]]) ^ _syndrome(words)
        reached |= {one ^ effect for one in reached}
    return reached


def _syndrome(words: Sequence[int]) -> int:
    """0 where the check fits: how the check words differ from what they should be."""
    *data, one, two, three = words
    pairs = zip((one, two, three), rs1024.create_checksum(data, _CUSTOMIZATION), strict=True)
    return sum((found ^ wanted) << _WORD_BITS * place for place, (found, wanted) in enumerate(pairs))


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _wrong(number: int, what: str) -> IntegrityError:
    return IntegrityError(f"a share is wrong: {what}", where=f"share {number}", hint=_TO_MEND)


def _unfit(which: str = "these shares") -> IntegrityError:
    return IntegrityError(
        f"{which} do not fit together", hint="they were made by different splits; sort them by their pages"
    )
