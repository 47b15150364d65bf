"""What the gates compare of a run, put together from its records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dr_lib.errors import IntegrityError
from dr_lib.format import entries
from dr_lib.model.gates import ColumnFacts, RunFacts, TableFacts
from dr_lib.model.manifest import FrameRef
from dr_lib.workflows.backup.records import BackupPlan, StoredPart


def run_facts(plan: BackupPlan, parts: Sequence[StoredPart], proof: StoredPart | None) -> RunFacts:
    """The facts of a run whose parts are all there; without a `proof` nothing is known of tables.

    `IntegrityError` when what the proof's record says of tables does not parse.
    """
    files = plan.listing.files
    tables, broken = _tables(plan, proof.facts if proof else {})
    return RunFacts(
        point=plan.point,
        logical_bytes=sum(file.size for file in files),
        files=len(files),
        forms={files[p.file].path: p.form for part in parts for p in part.pieces if p.form is not None},
        tensors=tuple(tensor for part in parts for tensor in part.tensors),
        tables=tables,
        broken=broken,
    )


def frames(parts: Iterable[StoredPart]) -> Iterator[FrameRef]:
    """Every frame of the run's files."""
    return (frame for part in parts for piece in part.pieces for frame in piece.frames)


def _tables(plan: BackupPlan, facts: dict[str, Any]) -> tuple[dict[str, TableFacts] | None, tuple[str, ...] | None]:
    try:
        tables = {name: _table(item) for name, item in facts["tables"].items()} if "tables" in facts else None
        broken = tuple(entries.text(item) for item in facts["broken"]) if "broken" in facts else None
    except entries.ODD as error:
        what = f"the record of {plan.asset}/{plan.point} says of its tables what does not parse: {error!r}"
        raise IntegrityError(what, hint="back up again") from error
    return tables, broken


def _table(item: dict[str, Any]) -> TableFacts:
    stats = item.get("stats", {})
    columns = {name: _column(entries.text(kind), stats.get(name, {})) for name, kind in item["columns"]}
    return TableFacts(entries.natural(item["rows"]), columns)


def _column(kind: str, stats: dict[str, Any]) -> ColumnFacts:
    nulls = entries.natural(stats["nulls"]) if "nulls" in stats else None
    return ColumnFacts(kind, nulls, entries.number(stats.get("min")), entries.number(stats.get("max")))
