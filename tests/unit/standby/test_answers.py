"""What a command of a standby answered becomes a document, or the error of its exit code."""

from __future__ import annotations

import json

import pytest

from dr_lib.errors import (
    DrError,
    IntegrityError,
    NotFound,
    ObjectiveMissed,
    OutOfSpace,
    Refused,
    SourceUnstable,
    StoreUnavailable,
    UsageError,
)
from dr_lib.standby.answers import document_of
from dr_lib.standby.child_process import Finished


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, DrError),
        (2, UsageError),
        (3, ObjectiveMissed),
        (4, IntegrityError),
        (5, NotFound),
        (6, StoreUnavailable),
        (7, Refused),
        (8, SourceUnstable),
        (99, DrError),
    ],
)
def test_exit_codes_become_errors_with_the_child_s_words(code: int, kind: type[DrError]) -> None:
    said = json.dumps({"error": {"what": "it broke", "where": "region here", "hint": "mend it"}}).encode()
    with pytest.raises(kind) as caught:
        document_of(Finished(code, said, b""), "restore")
    assert type(caught.value) is kind
    assert str(caught.value) == "it broke [region here]; next: mend it"


def test_a_full_disk_is_told_from_a_silent_store() -> None:
    said = json.dumps({"error": {"type": "OutOfSpace", "what": "the disk is full"}}).encode()
    with pytest.raises(OutOfSpace):
        document_of(Finished(6, said, b""), "restore")


def test_a_child_without_a_document_is_quoted() -> None:
    with pytest.raises(IntegrityError, match="failed: pack is damaged"):
        document_of(Finished(4, b"", b"noise\npack is damaged\n"), "restore")
    with pytest.raises(DrError, match="killed by signal 9"):
        document_of(Finished(-9, b"", b""), "restore")
    with pytest.raises(DrError, match="no JSON document"):
        document_of(Finished(0, b"done", b""), "restore")
