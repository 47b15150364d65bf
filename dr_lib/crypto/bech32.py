"""Bech32 (BIP-173) without its limit of 90 characters, as age writes its keys: the age library gives no raw bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

_ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECK_CHARACTERS: Final = 6


def encode(prefix: str, data: bytes) -> str:
    """`data` as text in lower case, after `prefix` (in lower case as well) and a `1`."""
    fives = _regrouped(data, 8, 5)
    check = _polymod([*_expanded(prefix), *fives, *[0] * _CHECK_CHARACTERS]) ^ 1
    fives += [check >> 5 * place & 31 for place in reversed(range(_CHECK_CHARACTERS))]
    return f"{prefix}1{''.join(_ALPHABET[five] for five in fives)}"


def decode(text: str) -> tuple[str, bytes]:
    """Inverse of `encode`, in either case; `ValueError`, which repeats nothing of the text, for anything else."""
    prefix, fives = parts(text)
    data = bytes(_regrouped(fives, 5, 8))
    if encode(prefix, data) != text.lower():
        raise ValueError("its last bits are not zero")
    return prefix, data


def parts(text: str) -> tuple[str, list[int]]:
    """Prefix and groups of five bits of a text whose check fits; `ValueError` as `decode`."""
    prefix, one, rest = text.lower().rpartition("1")
    if text not in (text.lower(), text.upper()) or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("it mixes cases, or holds characters that are not allowed")
    if not prefix or not one or len(rest) < _CHECK_CHARACTERS or set(rest) - set(_ALPHABET):
        raise ValueError("it is no Bech32 text")
    fives = [_ALPHABET.index(character) for character in rest]
    if _polymod([*_expanded(prefix), *fives]) != 1:
        raise ValueError("its check does not fit: a character is wrong or missing")
    return prefix, fives[:-_CHECK_CHARACTERS]


def _polymod(values: Iterable[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, factor in enumerate(_GENERATOR):
            check ^= factor if top >> place & 1 else 0
    return check


def _expanded(prefix: str) -> list[int]:
    return [*(ord(character) >> 5 for character in prefix), 0, *(ord(character) & 31 for character in prefix)]


def _regrouped(groups: Sequence[int], width: int, wanted: int) -> list[int]:
    """Groups of `width` bits as groups of `wanted` bits: towards text filled up with zeros, towards bytes cut off."""
    bits = "".join(f"{group:0{width}b}" for group in groups)
    bits = bits[: len(bits) // 8 * 8] if wanted == 8 else bits + "0" * (-len(bits) % wanted)
    return [int(bits[at : at + wanted], 2) for at in range(0, len(bits), wanted)]
