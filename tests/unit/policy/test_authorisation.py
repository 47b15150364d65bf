"""Who may let a restore begin: somebody else than who asks for it, and nobody who is not known."""

from __future__ import annotations

import pytest

from dr_lib.model.authorisation import Decision
from dr_lib.policy.authorisation import objection


@pytest.mark.parametrize(
    ("requester", "decision", "why"),
    [
        ("ann", Decision("approved", "bob"), None),
        ("ann", Decision("approved", "Ann"), "Ann asked for it, and cannot approve it"),
        ("", Decision("approved", "bob"), "it is not known who asked"),
        ("ann", Decision("approved", ""), "it is not known who asked for it, or who approved it"),
        ("ann", Decision("rejected", "bob"), "bob rejected it"),
        ("ann", Decision("rejected"), "somebody rejected it"),
        ("ann", Decision("unanswered"), "nobody approved it in time"),
        ("ann", Decision("yes", "bob"), "nobody approved it in time"),
        ("ann", Decision("emergency"), None),
        ("", Decision("emergency"), "it is not known who asked for it"),
    ],
)
def test_what_stands_against_it(requester: str, decision: Decision, why: str | None):
    found = objection(requester, decision)
    assert (found is None) == (why is None)
    assert why is None or (found or "").startswith(why)
