"""Progress in a task's log: present, and never a flood."""

from __future__ import annotations

import logging

from dr_airflow.log_progress import LoggedProgress


def test_a_phase_of_many_steps_is_told_in_few_lines(caplog):
    progress = LoggedProgress(logging.getLogger("task"))
    with caplog.at_level(logging.INFO):
        progress.start(1_000_000, "backup minilm")
        for _ in range(1000):
            progress.advance(1000)
        progress.finish()
    assert caplog.messages[0] == "backup minilm: 1.0 MB"
    assert caplog.messages[-1] == "backup minilm: 1.0 of 1.0 MB"
    assert len(caplog.messages) == 11


def test_a_phase_without_bytes_is_told_once(caplog):
    progress = LoggedProgress(logging.getLogger("task"))
    with caplog.at_level(logging.INFO):
        progress.start(0, "verify")
        progress.advance(5)
    assert caplog.messages == ["verify: 0.0 MB"]
