"""What is done to an object: every kind that the design names, as new bytes for one or two keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.world import flip

FLIPS = 5
Changes = dict[str, bytes | None]
"""New bytes by key; None removes the object."""


@dataclass(frozen=True, slots=True)
class Damage:
    """One case: `kind` for the table, `key` of the object that is judged, and what becomes of the region.

    `is_newest_scrub`: the object is what the newest verification said of itself.
    """

    kind: str
    key: str
    changes: Changes
    is_newest_scrub: bool = False

    @property
    def object_class(self) -> str:
        """`packs`, `points`, … or the name of an object that has no directory."""
        return class_of(self.key)


def class_of(key: str) -> str:
    """The class of the object of that key."""
    return key.partition("/")[0]


def damages(objects: Mapping[str, bytes], elsewhere: Mapping[str, bytes], *, seldom: bool = False) -> Iterator[Damage]:
    """Every damage of every object; with `seldom` one object a class alone, and one bit of it.

    A sibling is the next object of its class; the only one of its class has the other region's in its place.
    """
    done: set[str] = set()
    newest = max((key for key in objects if "-scrub-" in key), default="")
    for key, data in sorted(objects.items()):
        if seldom and class_of(key) in done:
            continue
        done.add(class_of(key))
        for at in _places(len(data), 1 if seldom else FLIPS):
            yield Damage(f"bit at {at}", key, {key: flip(data, at)})
        yield Damage("truncated", key, {key: data[: len(data) * 2 // 3]})
        yield Damage("emptied", key, {key: b""})
        yield Damage("deleted", key, {key: None}, is_newest_scrub=key == newest)
        sibling = sibling_of(key, objects)
        yield Damage("replayed", key, {key: elsewhere[key] if sibling is None else objects[sibling]})
        if sibling is not None:
            yield Damage("swapped", key, {key: objects[sibling], sibling: data})


def sibling_of(key: str, objects: Mapping[str, bytes]) -> str | None:
    """The next object of the same class, of other content, going round; None when there is none."""
    family = sorted(other for other in objects if class_of(other) == class_of(key))
    place = family.index(key)
    round_robin = family[place + 1 :] + family[:place]
    return next((other for other in round_robin if objects[other] != objects[key]), None)


def _places(size: int, count: int) -> list[int]:
    """Bytes from the first to the last, evenly apart."""
    if size < 2 or count == 1:
        return [size // 2] if size else []
    return sorted({(size - 1) * number // (count - 1) for number in range(count)})
