"""Only plain YAML is let in, and what is not says so on its line instead of running, growing or crashing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dr_lib.config.document import read_document

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9)
)
OPENED = "(while parsing a flow sequence that begins on line 2)"


def problems(text: str) -> list[str]:
    return [str(problem) for problem in read_document(text).problems]


def test_every_value_knows_its_line():
    document = read_document("a:\n  b: 1\n  c:\n    - x\n    - {d: y}\n")
    assert document.data == {"a": {"b": 1, "c": ["x", {"d": "y"}]}}
    assert document.lines[("a", "b")] == 2
    assert document.lines[("a", "c", 1, "d")] == 5
    assert document.spelled(("a", "c", 1, "absent", "deeper")) == ("a", "c", 1)


def test_names_are_text_as_written():
    assert read_document("{no: 1, 007: 2, 2026-01-01: 3, ~: 4}").data == {"no": 1, "007": 2, "2026-01-01": 3, "~": 4}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "line 1: the file is empty; begin with `regions:` and `assets:`"),
        ("# only a comment\n", "line 1: the file is empty; begin with `regions:` and `assets:`"),
        ("\n- a\n", "line 2: the file holds a list where fields are expected; begin with `regions:` and `assets:`"),
        (
            "word",
            "line 1: the file holds a single value where fields are expected; begin with `regions:` and `assets:`",
        ),
        ("a: 1\nb: [1,\nc: 2", f"line 3: this is no YAML: did not find expected ',' or ']' {OPENED}"),
        ("a: 1\n\tb: 2", "line 2: this is no YAML: found a tab character that violates indentation"),
        ("a: 1\n---\nb: 2", "line 2: this is no YAML: but found another document"),
        ("a: \x00", "line 1: this is no YAML: control characters are not allowed"),
        ("a: 1\nb: 2\na: 3", "line 3: a: this field stands here twice, first on line 1"),
        ("a: 1\n? [x]\n: 2", "line 2: a field's name must be plain text"),
        (
            "a: 1\nb: !!python/object/apply:os.system [id]",
            "line 2: b: YAML tags are not supported; write a plain value",
        ),
        ("a: !secret x", "line 1: a: YAML tags are not supported; write a plain value"),
        ("a: !!int word", "line 1: a: this value contradicts its type; write a plain value"),
        ("a: &x [1]\nb: *x", "line 2: b: anchors and aliases are not supported; write the value out"),
        ("a: &x [*x]", "line 1: a[0]: anchors and aliases are not supported; write the value out"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(text, problem):
    assert problems(text) == [problem]


def test_a_syntax_error_does_not_quote_the_file():
    assert "hunter2" not in "".join(problems("password: hunter2: [\n"))


def test_an_alias_bomb_is_refused_without_unfolding_it():
    found = problems(BOMB)
    assert len(found) == 81
    assert "anchors and aliases are not supported" in found[0]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_nesting_that_would_end_the_process_is_refused(opening):
    """In a process of its own: a stack that overflows in C cannot be caught."""
    program = f"from dr_lib.config.document import read_document; print(*read_document({opening!r} * 100000).problems)"
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stdout) == (0, "line 1: this is nested too deeply\n")


def test_a_file_that_is_not_utf8_is_refused_on_its_line(tmp_path):
    from dr_lib.config import ConfigError, load_config

    (tmp_path / "dr.yaml").write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(ConfigError, match=r"line 2: this is not UTF-8"):
        load_config(tmp_path / "dr.yaml")
