# Sourced: sets PYTHON to a Python 3.11 that can make environments, or says what to install and ends.

refuse() {
    printf 'make: %s\n      %s\n' "$1" "$2" >&2
    exit 2
}

is_311() {
    [ "$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = 3.11 ]
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3 python; do
        if [ -n "$candidate" ] && is_311 "$candidate"; then
            PYTHON=$candidate
            return
        fi
    done
    refuse "Python 3.11 is needed; python3 here is $(python3 -V 2>/dev/null || echo missing)" \
        "Install it (Debian 12: apt install python3 python3-venv), or name one: make PYTHON=/path/to/python3.11 ..."
}

find_python
"$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || refuse \
    "$("$PYTHON" -V) here cannot make environments: its venv module is missing" \
    "Debian: apt install python3.11-venv"
