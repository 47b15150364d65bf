"""One judgement of a run against the last good point."""

from __future__ import annotations

from collections.abc import Iterator

from dr_lib.model.gates import Finding, Gates, Judged, Novelty, RunFacts
from dr_lib.policy.anomalies.tables import table_findings
from dr_lib.policy.anomalies.tensors import tensor_findings, without_norms
from dr_lib.policy.anomalies.whole import form_findings, novelty_findings, size_findings


def judge(past: RunFacts | None, new: RunFacts, found: Novelty | None, gates: Gates) -> Judged:
    """Findings about `new`; `past` is the last good point, None when nothing of it can be known.

    Broken expectations need no past. What cannot be judged is said in `untold` and is no finding.
    """
    broken = tuple(Finding("an expectation does not hold", (text,)) for text in new.broken or ())
    if past is None:
        return Judged(None, broken)
    findings = (
        *broken,
        *size_findings(past, new, gates),
        *form_findings(past, new),
        *tensor_findings(past.tensors, new.tensors, gates),
        *(table_findings(past.tables, new.tables, gates) if past.tables and new.tables is not None else ()),
        *(novelty_findings(found, new, gates) if found else ()),
    )
    return Judged(past.point, findings, tuple(_untold(past, new)))


def _untold(past: RunFacts, new: RunFacts) -> Iterator[str]:
    if (past.tables is None) != (new.tables is None):
        which = past.point if past.tables is None else "this point"
        yield f"rows and columns are not compared: the tables of {which} were not read"
    count = without_norms(past.tensors, new.tensors)
    if count:
        yield f"the norms of {count} changed tensors are not compared: {past.point} has none"
