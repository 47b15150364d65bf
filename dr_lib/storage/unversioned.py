"""Versions of objects in a store that has none: one each, named by the object's tag."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dr_lib.storage.base import ObjectInfo, ObjectVersion
from dr_lib.storage.missing import key_missing


def single_versions(infos: Iterable[ObjectInfo]) -> Iterator[ObjectVersion]:
    """Each object as its only version."""
    for info in infos:
        yield ObjectVersion(info.key, info.tag, info.size, info.modified_at, info.tag, is_latest=True, is_marker=False)


def same_version(info: ObjectInfo, version: str, label: str) -> None:
    """Raise `NotFound` unless that is the object's version."""
    if info.tag != version:
        raise key_missing(label, info.key)
