#!/usr/bin/env bash
# Brings the Debian packages that are named: a browser, PostgreSQL, Redis, Prometheus, age, the backup programs that `make bench`
# measures against, what a PDF is made with. What cannot be brought is named, and what needs it says so; so this never fails. Of the tests, those
# that compare with the age command need age, and those that make a PDF the three libraries.
set -euo pipefail

POLICY=/usr/sbin/policy-rc.d

present() {
    case $1 in
    chromium) command -v chromium >/dev/null ;;
    postgresql) command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ;;
    restic) command -v restic >/dev/null ;;
    borgbackup) command -v borg >/dev/null ;;
    redis-server) command -v redis-server >/dev/null ;;
    haproxy) command -v haproxy >/dev/null || [ -x /usr/sbin/haproxy ] ;;
    age) command -v age >/dev/null ;;
    prometheus) command -v prometheus >/dev/null && command -v promtool >/dev/null ;;
    nagios4-core) command -v nagios4 >/dev/null ;;
    zabbix-agent) command -v zabbix_agentd >/dev/null ;;
    libpango-1.0-0 | libpangoft2-1.0-0) loadable "${1%-0}" ;;
    libharfbuzz-subset0) loadable "${1%0}" ;;
    esac
}

loadable() {
    ldconfig -p | grep -F "$1.so" >/dev/null
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
    command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

# Only the programs are wanted: the tests start servers of their own, so the packages' services stay down.
install_quietly() {
    local ours=0
    if [ ! -e "$POLICY" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null && as_root chmod 755 "$POLICY" && ours=1
    fi
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 || true
    if [ "$ours" = 1 ]; then as_root rm -f "$POLICY"; fi
}

missing=()
for package in "$@"; do
    present "$package" || missing+=("$package")
done
[ ${#missing[@]} = 0 ] && exit 0

if may_install; then
    echo "system: installing ${missing[*]}"
    as_root apt-get update -qq >/dev/null 2>&1 || true
    for package in "${missing[@]}"; do install_quietly "$package"; done
fi
for package in "${missing[@]}"; do
    present "$package" || echo "system: $package could not be brought; what needs it will say so"
done
