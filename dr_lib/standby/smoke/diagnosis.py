"""From what a library raised, or what a comparison showed, to the likely cause in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from dr_lib.errors import DrError

_MEMORY = (
    "out of memory",
    "t allocate memory",
    "cannot allocate memory",
    "unable to allocate",
    "failed to map segment",
)
_TOKENIZER = ("tokenizer", "vocab", "merges", "special_tokens", "added_tokens", "spiece", "sentencepiece")
_TOKENIZER_SUFFIXES = (".model", ".tiktoken", ".vocab")


def cause_of(error: BaseException, changed: Sequence[str] = ()) -> str:
    """The likely cause of an exception. `changed`: files whose bytes are not the recorded ones."""
    if isinstance(error, DrError):
        return error.what
    said = f"{type(error).__name__}: {_first_line(error)}"
    if is_memory(error):
        return f"out of memory: {said}"
    if isinstance(error, ImportError):
        return f"a library is missing or broken in this environment: {said}"
    if isinstance(error, FileNotFoundError):
        return f"missing file: {_first_line(error)}"
    mismatch = mismatch_of(changed)
    return f"{mismatch}; loading it said {said}" if mismatch else f"it could not be loaded: {said}"


def is_memory(error: BaseException) -> bool:
    """True when the exception says that host or GPU memory ran out."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return any(sign in text for sign in _MEMORY)


def mismatch_of(changed: Sequence[str]) -> str | None:
    """Names tokenizer or configuration files that differ from the recorded ones; None when neither does."""
    tokenizer = [path for path in changed if is_tokenizer(path)]
    config = [path for path in changed if path.endswith(".json") and not is_tokenizer(path)]
    if tokenizer:
        return f"tokenizer mismatch: {', '.join(tokenizer)} not as recorded"
    return f"config mismatch: {', '.join(config)} not as recorded" if config else None


def is_tokenizer(path: str) -> bool:
    """True for the usual names of tokenizer files."""
    name = PurePosixPath(path).name
    return name.startswith(_TOKENIZER) or name.endswith(_TOKENIZER_SUFFIXES)


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:300] if text else "no message"
