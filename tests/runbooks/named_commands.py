"""The commands that a runbook names, in its blocks and in its prose."""

from __future__ import annotations

import re

from dr_lib.runbooks.text import Runbook


def drctl_calls(runbook: Runbook) -> list[list[str]]:
    """The words after every `drctl` in commands and in code of the prose, up to where the command ends."""
    code = [block.text.replace("\\\n", " ") for block in runbook.blocks("sh")]
    code += re.findall(r"`([^`\n]+)`", runbook.prose)
    calls = (found for text in code for found in re.findall(r"\bdrctl\b([^|;&>\n#]*)", text))
    return [call.split() for call in calls]
