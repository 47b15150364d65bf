#!/bin/sh
# Writes .env beside docker-compose.yaml from deploy/env.example, with a random secret in every empty place but the keys'.
# An .env that is there is never touched: who loses these secrets loses the database and the regions' keys.
set -eu
cd "$(dirname "$0")/.."
umask 077

secret() { # 32 random bytes in the alphabet of URLs, as Fernet keys are written
    head -c 32 /dev/urandom | base64 | tr '+/' '-_'
}

if [ -e .env ]; then
    echo "make-env: .env is there already and stays as it is" >&2
    exit 7
fi
while IFS= read -r line; do
    case $line in
    \#* | '') printf '%s\n' "$line" ;;
    *FERNET_KEY=) printf '%s%s\n' "$line" "$(secret)" ;;
    DR_IDENTITY= | DR_WRITER_KEY= | DR_SIGNING_KEY=) printf '%s\n' "$line" ;; # deploy/make-keys.sh makes them
    *=) printf '%s%s\n' "$line" "$(secret | tr -d '=')" ;; # the padding would need quoting elsewhere
    *) printf '%s\n' "$line" ;;
    esac
done <deploy/env.example >.env.new
mv .env.new .env
echo "make-env: wrote .env; keep a copy of it in a safe place that is not this machine"
echo "make-env: next, deploy/make-keys.sh makes the keys that seal and sign the vaults"
