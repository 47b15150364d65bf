"""The paper that a share is printed on, and how it is read back: from the page's own text, or from bare words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from dr_lib.crypto.escrow import WORDS
from dr_lib.crypto.key_text import Kind, SecretKey

_BELONGS: Final = re.compile(r"^Belongs to:\s+(?P<public>\S+)\s*$", re.MULTILINE)
_NUMBERED: Final = re.compile(r"^\s*(\d{1,2}\.?\s+[^\W\d]+\s*)+$")
_PAIR: Final = re.compile(r"(\d{1,2})\.?\s+([^\W\d]+)")
_IN_A_LINE: Final = 3
_PURPOSE: Final = {
    Kind.IDENTITY: "It opens the backups that were sealed for the recipient below.",
    Kind.WRITER: "It spares a backup host sending again what is stored already. It opens no backup.",
    Kind.SIGNER: "It signs backups. Who has it can make forged ones; it opens none.",
}
_PAGE: Final = """\
SHARE {number} OF {total} OF A SECRET KEY
{rule}

What this is:  a share of one {kind}, as {words} words.
               {purpose}
Belongs to:    {public}
Needed:        {needed}

To recover the key, on a machine that you trust and that has drctl:

    drctl keys escrow --recover

and type the words of {shares}. Case and the numbers do not matter; a wrong word is noticed. Without
drctl, any SLIP-39 program (no passphrase) gives the key's 32 bytes.

{grid}

Keep this paper where nobody reads it who may not. It does not expire.
"""


def pages(key: SecretKey, shares: Sequence[str], needed: int) -> list[str]:
    """A page of plain text for each share."""
    return [_page(key, share, number, len(shares), needed) for number, share in enumerate(shares, 1)]


def shares_in(text: str) -> list[str]:
    """The words of every share in a text: numbered as on a page, or bare, a share a line or a paragraph each."""
    numbered = [line for line in text.splitlines() if _NUMBERED.match(line)]
    if numbered:
        return list(_by_number(pair for line in numbered for pair in _PAIR.findall(line)))
    return list(_bare(text))


def owners_in(text: str) -> set[str]:
    """The public parts that pages in a text name."""
    return {match["public"] for match in _BELONGS.finditer(text)}


def _page(key: SecretKey, share: str, number: int, total: int, needed: int) -> str:
    heading = f"SHARE {number} OF {total} OF A SECRET KEY"
    alone = total == 1
    return _PAGE.format(
        number=number,
        total=total,
        rule="=" * len(heading),
        kind=key.kind.value,
        words=WORDS,
        purpose=_PURPOSE[key.kind],
        public=key.public,
        needed="this page alone gives the key."
        if alone
        else f"any {needed} of the {total} shares; fewer tell nothing.",
        shares="this page" if alone else f"{needed} shares",
        grid=_grid(share.split()),
    )


def _grid(words: Sequence[str]) -> str:
    """Numbered words, read line by line."""
    cells = [f"{place:2d} {word:<14}" for place, word in enumerate(words, 1)]
    lines = [cells[at : at + _IN_A_LINE] for at in range(0, len(cells), _IN_A_LINE)]
    return "\n".join("    " + " ".join(line).rstrip() for line in lines)


def _by_number(pairs: Iterable[tuple[str, str]]) -> Iterator[str]:
    """A share begins where the numbers begin again."""
    words: list[str] = []
    last = 0
    for number, word in pairs:
        if int(number) <= last:
            yield " ".join(words)
            words = []
        words.append(word)
        last = int(number)
    yield " ".join(words)


def _bare(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n|\f", text):
        lines = [line.strip() for line in paragraph.splitlines() if line.strip() and not line.startswith("#")]
        whole = bool(lines) and all(len(line.split()) * 2 > WORDS for line in lines)
        yield from lines if whole else filter(None, [" ".join(lines)])
