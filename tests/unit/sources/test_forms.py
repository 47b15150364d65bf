"""The kind of a file is told by its bytes, and random bytes are of none."""

from __future__ import annotations

import random

import pytest

from dr_lib.sources.forms import HEAD, TAIL, form_of

HEADER = (40).to_bytes(8, "little") + b'{"w": {}}'


def of(data: bytes, *, has_tensors: bool = False) -> str:
    return form_of(data[:HEAD], data[-TAIL:], has_tensors=has_tensors)


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"", "text"),
        (b"plain text\n\tand more", "text"),
        ("ä".encode() * 300, "text"),
        (b"x" * (HEAD - 1) + "ä".encode(), "text"),  # cut within a character
        (b"caf\xe9 in Latin-1", ""),
        (b"\x00\x01\x02", ""),
        ("in UTF-16".encode("utf-16"), "text"),
        (b"PAR1" + bytes(20) + b"PAR1", "parquet"),
        (b"PAR1" + bytes(20), ""),
        (b"PK\x03\x04" + bytes(30), "zip"),
        (b"GGUF\x03", "gguf"),
        (b"\x80\x04\x95", "pickle"),
        (b"name".ljust(257, b"\0") + b"ustar\x0000", "tar"),
        (HEADER, ""),
    ],
)
def test_kinds(data: bytes, form: str):
    assert of(data) == form


def test_safetensors_are_those_whose_tensors_were_found():
    assert of(HEADER, has_tensors=True) == "safetensors"
    assert of(b"PK\x03\x04 torch", has_tensors=True) == "zip"


def test_random_bytes_are_hardly_ever_of_any_kind():
    noise = random.Random(1)
    assert sum(of(noise.randbytes(HEAD)) != "" for _ in range(5000)) <= 2
