"""Evidence of drills: listing, reading, proving and rendering it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dr_lib.catalog.answers import open_ones, raise_first
from dr_lib.config import values
from dr_lib.errors import DrError, IntegrityError, NotFound, Refused, UsageError
from dr_lib.format.canonical import parse_time, time_text
from dr_lib.policy.evidence_chain import ancestry
from dr_lib.use_cases.over_config import Document, OverConfig

if TYPE_CHECKING:
    from dr_lib.rendering.facts import PageFacts
    from dr_lib.vault.vault import Vault
    from dr_lib.workflows.evidence.gather import Piece
    from dr_lib.workflows.evidence.prove import Proven

LATEST = "latest"


class Proving(OverConfig):
    """Evidence of drills. What it needs is imported when it is asked for."""

    def evidence(self, asset: str | None = None, limit: int = 50) -> Document:
        """The newest evidence of one asset or all. `{"evidence": [{"drill", "asset", "scenario", "verdict", …}],
        "problems", "silent"}`; what does not count is a problem."""
        from dr_lib.workflows.evidence.gather import gather

        rows: list[Document] = []
        problems: list[Document] = []
        quiet: dict[str, str] = {}
        for name in self._assets(asset):
            vaults, silent = self._evidence_vaults(name)
            found = gather(vaults, name, limit)
            quiet |= silent | {region: error.what for region, error in found.silent.items()}
            rows += [self._row(piece) for piece in reversed(found.pieces.values())]
            problems += [_trouble(name, one) for one in found.troubles]
        return {"evidence": rows, "problems": problems, "silent": quiet}

    def show_evidence(self, asset: str, drill: str = LATEST) -> Document:
        """One piece of evidence, with what it states. `NotFound` (5) without it; `IntegrityError` (4) when what there
        is does not count."""
        proven = self._proven(asset)
        piece = _chosen(proven, asset, drill)
        return self._told(piece, proven) | {"statement": piece.statement}

    def verify_evidence(self, asset: str | None = None) -> Document:
        """Prove all evidence of one asset or all. `{"assets": [{"asset", "evidence", "problems", "notes"}], "ok"}`."""
        found = []
        for name in self._assets(asset):
            proven = self._proven(name)
            found.append({
                "asset": name,
                "evidence": [self._told(piece, proven) for piece in reversed(proven.gathered.pieces.values())],
                "problems": [_trouble(name, one) for one in proven.troubles],
                "notes": list(proven.notes),
            })  # fmt: skip
        return {"assets": found, "ok": not any(one["problems"] for one in found)}

    def render_evidence(
        self, asset: str, drill: str = LATEST, html: Path | None = None, pdf: Path | None = None
    ) -> Document:
        """Render one drill's evidence into the files that are named. `{"drill", "files": {path: bytes}}`.

        `IntegrityError` (4), and no file, when anything of the asset's evidence does not hold. A file is replaced in
        one step.
        """
        from dr_lib.rendering.page import html_page, pdf_page

        facts = self._page_facts(asset, drill)
        made = {html: html_page(facts).encode() if html else b"", pdf: pdf_page(facts) if pdf else b""}
        files = {path: data for path, data in made.items() if path is not None}
        for path, data in files.items():
            _write(path, data)
        return {
            "drill": facts.proven["drill"],
            "asset": asset,
            "files": {str(path): len(data) for path, data in files.items()},
        }

    def evidence_page(self, asset: str, drill: str = LATEST) -> str:
        """One drill's evidence as a page of HTML that needs nothing else; raises as `render_evidence`."""
        from dr_lib.rendering.page import html_page

        return html_page(self._page_facts(asset, drill))

    def _page_facts(self, asset: str, drill: str) -> PageFacts:
        proven = self._proven(asset)
        for one in proven.troubles:
            hint = f"`drctl evidence verify {asset}` tells all; only evidence that holds is rendered"
            raise IntegrityError(
                f"the evidence of drill {one.drill} does not hold: {one.what}", where=one.where, hint=hint
            )
        piece = _chosen(proven, asset, drill)
        return page_facts(piece, proven, self._told(piece, proven), time_text(self._wiring.clock()))

    def predict_rto(self, asset: str, size: str | None = None, link: str | None = None) -> Document:
        """What the next recovery takes, by the drills that recovered this asset, or all assets where those are fewer
        than three. `seconds` is None, and `why` says so, when there are fewer. `UsageError` (2) for no size or rate."""
        from dr_lib.use_cases.foretelling import foretold, history

        count, rate = _amount(size, values.size), _amount(link, values.rate)
        told = {name: history(self._evidence_vaults(name)[0], name) for name in self.config.assets}
        return foretold(told, self.config.asset(asset).name, count, rate)

    def _proven(self, asset: str) -> Proven:
        from dr_lib.workflows.evidence.prove import prove

        vaults, silent = self._evidence_vaults(asset)
        return prove(vaults, asset, list(silent))

    def _assets(self, asset: str | None) -> list[str]:
        return [self.config.asset(asset).name] if asset else list(self.config.assets)

    def _evidence_vaults(self, asset: str) -> tuple[list[Vault], dict[str, str]]:
        """The vaults that answer, and what keeps the others from it; raises the first reason when none does."""
        answers = self._wiring.answers(self.config.asset(asset).regions)
        vaults = open_ones(answers, list(answers))
        silent = {region: answer for region, answer in answers.items() if isinstance(answer, DrError)}
        if not vaults:
            raise_first(list(silent.values()))
        return vaults, {region: error.what for region, error in silent.items()}

    def _row(self, piece: Piece) -> Document:
        past, predicate = piece.past, piece.statement["predicate"]
        age = self._wiring.clock() - parse_time(past.finished_at)
        return {
            "drill": past.drill,
            "asset": predicate["asset"],
            "scenario": past.scenario,
            "verdict": past.verdict,
            "expected": past.expected,
            "rto_s": past.rto_s,
            "rpo_s": past.rpo_s,
            "finished_at": past.finished_at,
            "age_s": max(0.0, age.total_seconds()),
            "regions": list(piece.regions),
            "key": past.key,
        }

    def _told(self, piece: Piece, proven: Proven) -> Document:
        before = piece.past.previous
        return self._row(piece) | {
            "sha256": piece.sha256,
            "predicate_type": piece.statement["predicateType"],
            "signed_by": list(piece.signers),
            "previous": {"key": before.key, "sha256": before.sha256} if before else None,
            "point": proven.points[piece.past.key],
            "locks": proven.locks[piece.past.key],
        }


def _chosen(proven: Proven, asset: str, drill: str) -> Piece:
    found = list(proven.gathered.pieces.values())
    matching = found[-1:] if drill == LATEST else [piece for piece in found if piece.past.drill == drill]
    newest = matching[0].past.drill if matching else ""
    for one in proven.troubles:
        if one.drill == drill or (drill == LATEST and one.drill >= newest):
            raise IntegrityError(f"the evidence does not count: {one.what}", where=one.where)
    if matching:
        return matching[0]
    what = f"there is no evidence of a drill of {asset!r}" if drill == LATEST else f"no evidence of drill {drill!r}"
    raise NotFound(
        what, where=", ".join(proven.gathered.silent) or None, hint="`drctl evidence list` shows what there is"
    )


def page_facts(piece: Piece, proven: Proven, told: Document, made_at: str) -> PageFacts:
    """What the page of one drill shows, and of the drills up to it."""
    from dr_lib.rendering.facts import PageFacts, PastPoint

    pieces = proven.gathered.pieces
    chain = ancestry({key: one.entry for key, one in pieces.items()}, piece.past.key)
    earlier = [one.past for one in pieces.values() if one.past.drill <= piece.past.drill]
    past = [PastPoint(p.drill, p.finished_at, p.scenario, p.verdict, p.rto_s, p.rpo_s, p.predicted_s) for p in earlier]
    return PageFacts(piece.statement["predicate"], told | {"chain": len(chain)}, past, proven.notes, made_at)


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Refused(
            f"the file cannot be written: {error.strerror}", where=str(path), hint="name another place"
        ) from error


def _amount(text: str | None, parse: Callable[[object], int]) -> int | None:
    try:
        return None if text is None else parse(text)
    except ValueError as error:
        what, _, right = str(error).partition("; ")
        raise UsageError(what, hint=right) from error


def _trouble(asset: str, one: Any) -> Document:
    return {"asset": asset, "drill": one.drill, "where": one.where, "what": one.what}
