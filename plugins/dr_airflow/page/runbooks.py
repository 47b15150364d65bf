"""The runbooks beside this plugin, as pages."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt

from dr_lib.errors import NotFound

FOLDER: Final = Path(__file__).resolve().parents[3] / "runbooks"
_NAME: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def names() -> list[str]:
    """Those that are there."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


@lru_cache(maxsize=64)
def html_of(name: str) -> str:
    """The text as HTML, in which nothing but Markdown means anything. `NotFound` without such a runbook."""
    path = FOLDER / f"{name}.md"
    if not _NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(names()) or f"none lies in {FOLDER}"
        raise NotFound(f"there is no runbook {name[:60]!r}", where="runbooks", hint=f"there are: {known}")
    rendered: str = MarkdownIt("commonmark", {"html": False}).enable("table").render(path.read_text(encoding="utf-8"))
    return rendered
