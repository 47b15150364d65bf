"""YAML text to plain values, with the line of each; only the plain part of YAML is let in.

Tags, anchors and aliases are refused: a configuration that runs code or unfolds into gigabytes has no use here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from dr_lib.config.problems import Location, Problem, dotted

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TAG = "tag:yaml.org,2002:"
CONVERTED = {TAG + name for name in ("int", "float", "bool", "null")}
AS_TEXT = {TAG + name for name in ("str", "timestamp", "merge", "value")}
COLLECTIONS = {TAG + "map", TAG + "seq"}
_TOO_DEEP: Final = "this is nested too deeply"
DEEPEST = 32


@dataclass(slots=True)
class Document:
    """`data` is None when the document cannot be looked at; `lines` knows every location that the file spells out."""

    data: dict[str, Any] | None = None
    lines: dict[Location, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def spelled(self, location: Location) -> Location:
        """The longest beginning of `location` that stands in the file."""
        while location and location not in self.lines:
            location = location[:-1]
        return location

    def problem(self, location: Location, what: str, right: str = "") -> Problem:
        """A problem at `location`, on the line of the closest thing that stands in the file."""
        return Problem(self.lines.get(self.spelled(location), 1), dotted(location), what, right)


def read_document(text: str) -> Document:
    """Parse `text`; never raises for what a file may hold. Duplicate keys are problems, and the first one counts."""
    document = Document()
    try:
        line = _line_too_deep(text)
        if line is None:
            document.data = _compose(document, text)
        else:
            document.problems.append(Problem(line, "", _TOO_DEEP))
    except yaml.MarkedYAMLError as error:
        document.problems.append(_syntax_problem(error, len(text.splitlines())))
    except yaml.YAMLError as error:
        reason = getattr(error, "reason", "it cannot be read")
        document.problems.append(Problem(1, "", f"this is no YAML: {reason}"))
    return document


def _syntax_problem(error: yaml.MarkedYAMLError, last_line: int) -> Problem:
    """The library's own text is not used: it quotes the file, where a secret may stand by mistake."""
    mark, start = error.problem_mark, error.context_mark
    line = min(mark.line + 1, last_line) if mark else 1
    if "nesting depth" in str(error.problem):  # newer parsers see it themselves
        return Problem(line, "", _TOO_DEEP)
    unclosed = start is not None and str(error.context).startswith("while parsing a flow")
    began = f" ({error.context} that begins on line {start.line + 1})" if start and unclosed else ""
    return Problem(line, "", f"this is no YAML: {error.problem}{began}")


def _line_too_deep(text: str) -> int | None:
    """Looked at first, because composing recurses in C, where too deep a file would end the process."""
    depth = 0
    for event in yaml.parse(text, LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            return event.start_mark.line + 1 if event.start_mark else 1
    return None


def _compose(document: Document, text: str) -> dict[str, Any] | None:
    loader = LOADER(text)
    try:
        return _top(document, loader, loader.get_single_node())
    finally:
        loader.dispose()


def _top(document: Document, loader: Any, root: yaml.Node | None) -> dict[str, Any] | None:
    if root is None:
        document.problems.append(Problem(1, "", "the file is empty", "begin with `regions:` and `assets:`"))
        return None
    if not isinstance(root, yaml.MappingNode):
        found = "a list" if isinstance(root, yaml.SequenceNode) else "a single value"
        what = f"the file holds {found} where fields are expected"
        document.problems.append(Problem(_line(root), "", what, "begin with `regions:` and `assets:`"))
        return None
    data = _Builder(document, loader).value(root, ())
    return data if isinstance(data, dict) else None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


class _Builder:
    """Walks the nodes once; a node that is met twice is an alias."""

    def __init__(self, document: Document, loader: Any) -> None:
        self._document = document
        self._loader = loader
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, at: Location) -> Any:
        """The plain value of `node`; None in place of what is refused."""
        self._document.lines.setdefault(at, _line(node))
        if id(node) in self._seen:
            return self._refuse(at, "anchors and aliases are not supported", "write the value out")
        self._seen.add(id(node))
        if node.tag not in CONVERTED | AS_TEXT | COLLECTIONS:
            return self._refuse(at, "YAML tags are not supported", "write a plain value")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*at, number)) for number, item in enumerate(node.value)]
        return self._scalar(node, at)

    def _mapping(self, node: yaml.MappingNode, at: Location) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, item in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._document.problems.append(Problem(_line(key), dotted(at), "a field's name must be plain text"))
                continue
            name = str(key.value)
            here = (*at, name)
            if name in found:
                first = self._document.lines[here]
                problem = Problem(_line(key), dotted(here), f"this field stands here twice, first on line {first}")
                self._document.problems.append(problem)
                continue
            self._document.lines[here] = _line(key)
            found[name] = self.value(item, here)
        return found

    def _scalar(self, node: yaml.Node, at: Location) -> Any:
        if node.tag in AS_TEXT:
            return node.value
        try:
            return self._loader.construct_object(node)
        except (ValueError, KeyError):
            return self._refuse(at, "this value contradicts its type", "write a plain value")

    def _refuse(self, at: Location, what: str, right: str = "") -> None:
        self._document.problems.append(self._document.problem(at, what, right))
