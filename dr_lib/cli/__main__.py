"""`python -m dr_lib.cli` is `drctl`."""

import sys

from dr_lib.cli.main import main

sys.exit(main())
