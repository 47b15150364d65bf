"""Makes the recovery kit on this machine ahead of time: `python tools/make_kit.py [DIR]`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dr_lib.errors import DrError
from dr_lib.kit.shelf import made
from dr_lib.wiring import shelf_folder

if __name__ == "__main__":
    try:
        made(Path(sys.argv[1]) if len(sys.argv) > 1 else shelf_folder(os.environ))
    except DrError as error:
        sys.exit(f"error: {error}")
