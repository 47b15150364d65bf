"""What is looked at beside the bytes: the signature that a source or a restored tree carries, and odd files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from dr_lib.errors import SourceUnstable
from dr_lib.model.asset import Asset, SignaturePolicy
from dr_lib.provenance.model_signature import SIGNATURE, missing, verify
from dr_lib.sources.base import Source, SourceFile, SourceListing
from dr_lib.sources.materialise import local_directory
from dr_lib.sources.oddities import odd_files


class SignatureState(StrEnum):
    """What is known of a model signature."""

    VERIFIED = "verified"
    ABSENT = "absent"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Examined:
    """The outcome for a source that may be committed; `signature` is None when it was not looked at again."""

    signature: SignatureState | None
    warnings: tuple[str, ...]

    @property
    def facts(self) -> dict[str, str]:
        """What the manifest remembers."""
        return {"model_signature": self.signature.value} if self.signature else {}

    def noted(self, document: dict[str, Any]) -> dict[str, Any]:
        """A committed backup's document with this outcome in it."""
        warnings = [*document.get("warnings", ()), *self.warnings]
        return {**document, "signature": self.signature, "warnings": warnings}


def examine_source(asset: Asset, source: Source, listing: SourceListing, fresh: Sequence[SourceFile] = ()) -> Examined:
    """What is to be known of a source before it is committed. Reads every file to verify a signature.

    Of the `fresh` files the headers are read: those that are not what their names say are told when they are stored.
    Raises `IntegrityError` (4) when the asset's `signature` demands what does not hold, `SourceUnstable` (8) when the
    source is not the one that was listed, and what the source raises. A retry is safe.
    """
    signed = SIGNATURE in {*(file.path for file in listing.files), *(link.path for link in listing.links)}
    warnings = (*_unchecked(asset, signed=signed), *odd_files(source, fresh))
    if asset.signature is None:
        return Examined(SignatureState.UNCHECKED if signed else SignatureState.ABSENT, warnings)
    if not signed:
        raise missing(source.url)
    try:
        with local_directory(source, listing) as directory:
            verify(directory, asset.signature)
    except OSError as error:
        hint = "let the writer finish, then back up again"
        raise SourceUnstable(f"a file cannot be read: {error}", where=source.url, hint=hint) from error
    return Examined(SignatureState.VERIFIED, warnings)


def _unchecked(asset: Asset, *, signed: bool) -> Iterator[str]:
    if signed and asset.signature is None:
        yield f"it carries a signature ({SIGNATURE}) that nobody checks; name signature.public_key in the asset"


@dataclass(slots=True)
class RestoredSignature:
    """Looks at a restored tree before it is published; `state` is what came of it.

    `whole` is False where only a part was asked for, of which no signature can be verified.
    """

    policy: SignaturePolicy | None
    whole: bool
    state: SignatureState = SignatureState.UNCHECKED

    def __call__(self, directory: Path) -> None:
        """Raises `IntegrityError` (4) when the asset's `signature` demands what does not hold, and `OSError`."""
        if self.policy is not None and self.whole:
            verify(directory, self.policy)
            self.state = SignatureState.VERIFIED
        elif self.whole and not (directory / SIGNATURE).exists():
            self.state = SignatureState.ABSENT
