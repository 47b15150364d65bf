"""Links are judged by where they really lead, through other links, not by how their text looks."""

from __future__ import annotations

import pytest

from dr_lib.policy.links import MAX_HOPS, LeadsOutside, leads_outside, resolve


@pytest.mark.parametrize(
    ("path", "links", "found"),
    [
        ("f", {}, "f"),
        ("l", {"l": "d/f"}, "d/f"),
        ("d/l", {"d/l": "../f"}, "f"),
        ("l", {"l": "."}, "."),
        ("l//x", {"l": "./d/"}, "d/x"),
        ("l", {"l": "jump/../x", "jump": "deep/er"}, "deep/x"),
        ("snapshots/1/m", {"snapshots/1/m": "../../blobs/abc"}, "blobs/abc"),
    ],
)
def test_a_path_resolves_as_the_kernel_would(path, links, found):
    assert resolve(path, links) == found


def test_a_target_that_only_looks_as_if_it_stayed_inside_leads_outside():
    links = {"a/b/up": "../..", "sly": "a/b/up/../x"}
    assert leads_outside("sly", links)
    assert not leads_outside("a/b/up", links)


def test_a_target_that_only_looks_as_if_it_left_stays_inside():
    assert not leads_outside("l", {"l": "jump/../../x", "jump": "deep/er"})


def test_a_link_to_a_link_that_leads_outside_leads_outside():
    links = {"one": "two", "two": "three/x", "three": "/etc"}
    assert [leads_outside(path, links) for path in links] == [True, True, True]
    with pytest.raises(LeadsOutside):
        resolve("one", links)


def test_a_loop_resolves_to_nothing():
    assert resolve("a", {"a": "b", "b": "a"}) is None


def test_a_chain_as_long_as_the_kernel_follows_resolves_and_a_longer_one_does_not():
    links = {f"l{number}": f"l{number + 1}" for number in range(MAX_HOPS + 1)}
    assert resolve("l1", links) == f"l{MAX_HOPS + 1}"
    assert resolve("l0", links) is None
