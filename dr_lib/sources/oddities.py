"""Files of a source that are kept byte for byte but are not what their names say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from dr_lib.sources.base import Source, SourceFile
from dr_lib.sources.safetensors_header import NotSafetensors, parse

SHOWN: Final = 5


def odd_files(source: Source, files: Sequence[SourceFile]) -> tuple[str, ...]:
    """A sentence for each of the first few files that are named like safetensors and are none, and one for the rest.

    Reads their headers. Raises what `source` raises.
    """
    found = list(_odd_safetensors(source, files))
    more = (f"{len(found) - SHOWN} more such files",) if len(found) > SHOWN else ()
    return (*found[:SHOWN], *more)


def _odd_safetensors(source: Source, files: Sequence[SourceFile]) -> Iterator[str]:
    for file in files:
        if file.path.lower().endswith(".safetensors"):
            try:
                parse(partial(source.read, file), file.size)
            except NotSafetensors as reason:
                yield f"{file.path!r} is no valid safetensors file and is kept without its tensors: {reason}"
