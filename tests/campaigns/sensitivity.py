"""`make sensitivity`: the right model passes every time, and one with a little noise in any weight matrix never does.

Prints each matrix with how far its answers strayed; ends with exit code 1 when anything was missed, or the right model
was taken for a wrong one.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from dr_lib.demo import assets
from dr_lib.model.asset import AssetKind
from dr_lib.model.smoke import Tolerance
from dr_lib.standby import smoke
from dr_lib.standby.proof import encoded
from dr_lib.standby.smoke.request import GOLDEN
from dr_lib.standby.smoke.sentences import SENTENCES
from tests.campaigns.noise import LOADER, Seen, look_at, matrices


def main() -> int:
    """Run the campaign over the real model."""
    parser = argparse.ArgumentParser(prog="sensitivity", description=__doc__)
    parser.add_argument("--times", type=int, default=50, help="how often the right model is tested, each time afresh")
    parser.add_argument("--share", type=float, default=0.01, help="the noise, as a share of the matrix' norm")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dr-sensitivity-") as name:
        live, attachments = Path(name) / "minilm", Path(name) / "attachments"
        assets.stage_model(live)
        attachments.mkdir()
        known = [None] * len(SENTENCES)
        golden = smoke.record_golden(live, LOADER, list(SENTENCES), known, Tolerance(), timeout_s=600)
        (attachments / GOLDEN).write_bytes(encoded(golden))
        seen = list(tell(look_at(live, attachments, Path(name), matrices(live), options.share)))
        right = [passes(live, attachments) for _ in range(options.times)]
    print(f"\nnoise of {options.share:.2%} of its norm: {summary(seen)}")
    print(f"the right model, each time in a fresh process: {sum(right)} of {len(right)} pass")
    return 0 if all(right) and all(one.failed for one in seen) else 1


def passes(live: Path, attachments: Path) -> bool:
    """Whether the model passes, asked in a fresh process."""
    request = smoke.SmokeRequest(AssetKind.MODEL, live, attachments, LOADER, Tolerance())
    result = smoke.run(request)
    if not result.passed:
        print(f"WRONG the right model failed: {result.cause}", flush=True)
    return result.passed


def tell(found: Iterator[Seen]) -> Iterator[Seen]:
    """A line a matrix, as soon as it is known."""
    for one in found:
        said = ", ".join(one.failed) or "MISSED"
        print(f"{one.matrix:<48} strayed {one.difference:>9} ({one.allowed}): {said}", flush=True)
        yield one


def summary(seen: Sequence[Seen]) -> str:
    """How many were caught, and by what."""
    caught, answers = sum(bool(one.failed) for one in seen), sum(one.by_answers for one in seen)
    return f"{caught} of {len(seen)} matrices caught, {answers} by the answers alone"


if __name__ == "__main__":
    sys.exit(main())
