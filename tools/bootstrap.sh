#!/usr/bin/env bash
# Fills .venv from the locks. Safe to run again after an interruption: pip skips what is there already.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tools/python.sh

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
    echo "env: making .venv with $("$PYTHON" -V)"
    "$PYTHON" -m venv --clear .venv
fi
echo "env: installing the locked packages (the first time takes a few minutes)"
export PIP_DISABLE_PIP_VERSION_CHECK=1
.venv/bin/python -m pip install --quiet --upgrade pip
.venv/bin/python -m pip install --quiet -r requirements.txt -r requirements-dev.txt
PYTHONWARNINGS=ignore .venv/bin/python -m pip install --quiet --no-deps --editable .
# `drctl init` writes it into every vault; whoever lacks it is told so.
.venv/bin/python tools/make_kit.py || echo "env: the recovery kit could not be made now; \`drctl kit build\` makes it later"
echo "env: ready"
