"""Figures as a person reads them."""

from __future__ import annotations

import pytest

from dr_lib.cli.figures import size, span


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (90_868_376, "90.9 MB"), (999_999, "1 MB"), (1.2e12, "1.2 TB")],
)
def test_sizes(count, words):
    assert size(int(count)) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "-"), (0.25, "0.25 s"), (9.5, "9.5 s"), (119, "119 s"), (900, "15 min"), (14_400, "4 h"), (604_800, "7 d")],
)
def test_spans(seconds, words):
    assert span(seconds) == words
