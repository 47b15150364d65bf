"""A chain of evidence: what is gone or another is told, what merely ran side by side is not held against anybody."""

from dr_lib.model.evidence import ChainEntry, Link
from dr_lib.policy.evidence_chain import ancestry, chain_notes, chain_troubles


def entry(name: str, before: str | None = None, *, chained: bool = True, named: str | None = None) -> ChainEntry:
    previous = None if before is None else Link(before, named or f"sha {before}")
    return ChainEntry(name, Link(name, f"sha {name}"), previous, chained)


def test_a_whole_chain_has_no_trouble_and_nothing_odd():
    chain = [entry("a", chained=False), entry("b", "a"), entry("c", "b")]
    assert (chain_troubles(chain), chain_notes(chain)) == ([], [])


def test_one_removed_from_the_middle_is_missed_by_the_one_after_it():
    [trouble] = chain_troubles([entry("a"), entry("c", "b")])
    assert trouble.drill == "c"
    assert "before it, b, is in no region" in trouble.what


def test_the_first_one_removed_is_missed_too_and_the_last_one_cannot_be():
    assert [trouble.drill for trouble in chain_troubles([entry("b", "a"), entry("c", "b")])] == ["b"]
    assert chain_troubles([entry("a"), entry("b", "a")]) == []


def test_another_in_its_place_is_told():
    [trouble] = chain_troubles([entry("a"), entry("b", "a", named="sha of what was there")])
    assert "not the one that stood there" in trouble.what


def test_drills_that_knew_nothing_of_each_other_are_a_note():
    chain = [entry("a"), entry("b", "a"), entry("c", "a"), entry("d")]
    assert chain_troubles(chain) == []
    assert chain_notes(chain) == [
        "2 drills follow a: none knew of the others",
        "d begins a chain of its own: it found no earlier evidence",
    ]


def test_the_ancestry_ends_where_nothing_is_known():
    entries = {e.own.key: e for e in (entry("b", "a"), entry("c", "b"))}
    assert ancestry(entries, "c") == ["c", "b"]
