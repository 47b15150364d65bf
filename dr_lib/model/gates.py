"""What the gates of a backup compare: facts of a run, thresholds, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dr_lib.model.manifest import TensorEntry

SHOWN: Final = 3
"""Names that a finding shows."""


@dataclass(frozen=True, slots=True)
class Gates:
    """From where on a change is an anomaly. The defaults let ordinary life pass: a fine-tune, a dataset that grows.

    `norm_jump`: a tensor's L2 norm became so many times longer or shorter. `changed_tensors`: more than this share of
    the tensors changed (1: never). `new_bytes`: at least this share of the bytes is new where it never was half of it.
    `incompressible`: what is new takes at least this share of its bytes when stored, and what was before did not.
    `growth`, `shrink`: bytes, files or rows became more than so many times as many, or less than this share.
    `nulls`: so much more of a column is null. `structure`: tensors or columns are gone or of another type.
    """

    norm_jump: float = 10.0
    changed_tensors: float = 1.0
    new_bytes: float = 0.95
    incompressible: float = 0.98
    growth: float = 10.0
    shrink: float = 0.5
    nulls: float = 0.3
    structure: bool = True


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """A column of one table. `nulls`, `minimum` and `maximum` are None where the table does not tell them."""

    type: str
    nulls: int | None = None
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class TableFacts:
    """Rows of one table, and its columns by name."""

    rows: int
    columns: dict[str, ColumnFacts]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a backup learned of its source while it read it.

    `forms` are the kinds of files by path, empty for bytes of no known kind. `tables` and `broken` (expectations that
    do not hold) are None where nobody looked.
    """

    point: str
    logical_bytes: int
    files: int
    forms: dict[str, str]
    tensors: tuple[TensorEntry, ...]
    tables: dict[str, TableFacts] | None = None
    broken: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Novelty:
    """How much of a run's bytes the last good point did not have, and how well they could be encoded.

    `share` is of the bytes before encoding; `ratio` is stored to raw bytes of what is new, `past_ratio` that of the
    last good point; None without such bytes. `usual` are the shares of earlier good runs in which anything changed.
    """

    share: float
    ratio: float | None = None
    past_ratio: float | None = None
    usual: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """An anomaly. `said` is a plain sentence that names nothing of the content; `names` are what it is true of, which
    stays out of what a sealed vault tells to everybody."""

    said: str
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The sentence with the first few names."""
        more = f" and {len(self.names) - SHOWN} more" if len(self.names) > SHOWN else ""
        return f"{self.said}: {', '.join(self.names[:SHOWN])}{more}" if self.names else self.said


@dataclass(frozen=True, slots=True)
class Judged:
    """`findings` are anomalies, none when all is well; `untold` says what could not be judged, and is no finding.

    `compared_with` is the last good point, None when nothing is known of any.
    """

    compared_with: str | None
    findings: tuple[Finding, ...]
    untold: tuple[str, ...] = ()
