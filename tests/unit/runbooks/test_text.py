"""A runbook is read as sections of prose and blocks, and one that breaks the convention is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dr_lib.runbooks.text import Block, Event, Prose, Runbook, RunbookError, read

TEXT = """# The roof leaks

Water is wet.

## Decide

1. Now or later?

## Set the names

```sh fill-in
ROOF=/srv/roof
BUCKET=s3://b
```

<!-- world: it rains -->

1. Look:

   ```sh exit=3
   look "$ROOF"
   ```

   ```text
   a hole
   ```

```yaml checked-as=assets
roof: {}
```
"""


@pytest.fixture
def runbook(tmp_path: Path) -> Runbook:
    path = tmp_path / "roof.md"
    path.write_text(TEXT)
    return read(path)


def refused(tmp_path: Path, text: str) -> RunbookError:
    path = tmp_path / "wrong.md"
    path.write_text(text)
    with pytest.raises(RunbookError) as caught:
        read(path)
    return caught.value


def test_a_runbook_is_sections_in_order(runbook: Runbook):
    assert runbook.title == "The roof leaks"
    assert [section.heading for section in runbook.sections] == ["", "Decide", "Set the names"]
    kinds = [type(part) for part in runbook.sections[2].parts]
    assert kinds == [Prose, Block, Event, Prose, Block, Block, Block]


def test_blocks_say_what_is_typed_seen_and_written(runbook: Runbook):
    fill_in, look = runbook.blocks("sh")
    assert fill_in.is_fill_in
    assert fill_in.names == (("ROOF", "/srv/roof"), ("BUCKET", "s3://b"))
    assert (look.text, look.exit_code, look.line) == ('look "$ROOF"\n', 3, 20)
    (written,) = runbook.blocks("yaml")
    assert (written.section, written.is_alternative) == ("assets", True)


def test_prose_and_steps_are_two_views_of_the_same(runbook: Runbook):
    assert "look" not in runbook.prose
    assert "Now or later?" in runbook.prose
    assert [type(step) for step in runbook.steps] == [Block, Event, Block, Block, Block]


def test_what_happens_to_the_world_is_not_for_people(runbook: Runbook):
    assert runbook.plain == TEXT.replace("<!-- world: it rains -->\n", "").rstrip("\n")


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ("```python\n```\n", "the kind 'python' is not known"),
        ("```sh once\n```\n", "the kind 'sh once' is not known"),
        ("```sh\necho\n", "no end"),
        ("```sh fill-in\nA=b\nrm it\n```\n", "more than NAME=value lines"),
    ],
)
def test_a_block_that_breaks_the_convention_is_refused_with_its_line(tmp_path: Path, block: str, what: str):
    error = refused(tmp_path, f"# A\n\n{block}")
    assert what in error.what
    assert error.where == "wrong.md:3"


def test_a_text_without_a_title_is_no_runbook(tmp_path: Path):
    assert "title" in refused(tmp_path, "Nothing.\n").what
