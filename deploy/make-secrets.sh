#!/bin/sh
# Makes every secret that docker-compose.yaml names, each a file below secrets/, and the keys of the vaults; says in dr.yaml whom
# the vaults are sealed to and who signs. What is there already is never touched, and a try that was killed is gone on with.
# The folder is for its owner alone; its files may be read by anybody, because a container sees just those that it is given, and
# its user is not the one here. Prints no secret.
set -eu
cd "$(dirname "$0")/.."
umask 077

drctl=${DRCTL:-.venv/bin/drctl}
made=secrets.new

refuse() {
    echo "make-secrets: $1" >&2
    exit 7
}
random() { # 32 random bytes in the alphabet of URLs, as Fernet keys are written
    head -c 32 /dev/urandom | base64 | tr '+/' '-_'
}
word() { # the same without padding, which would need quoting in a URL
    random | tr -d '='
}
keep() { # NAME, its content on standard input
    cat >"$made/$1"
}
region() { # NAME PROFILE: what its server lets in, and the same for those who ask
    access=$(word)
    secret=$(word)
    printf '{"identities": [{"name": "dr", "credentials": [{"accessKey": "%s", "secretKey": "%s"}], "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}\n' \
        "$access" "$secret" | keep "$1"
    printf '[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n' "$2" "$access" "$secret" >>"$made/region_credentials"
}
key() { # SECRET FILE: a key file without its comments
    grep -v '^#' "$made/keys/$2" | keep "$1"
}

[ -e .env ] || cp .env.example .env
config=$(sed -n 's/^DR_CONFIG_FILE=//p' .env)
[ -e "$config" ] || refuse "$config is not there; write into .env where dr.yaml is"

if [ ! -e secrets ]; then
    ! grep -qE '^(encryption|signing):' "$config" || refuse "$config names keys already, and secrets/ is not there"
    [ ! -e keys ] || refuse "keys/ is there already; move it to a safe place"
    [ -x "$drctl" ] || refuse "$drctl is not there; run 'make env' first"
    rm -rf "$made"
    mkdir "$made"
    database=$(word)
    catalog=$(word)
    queue=$(word)
    printf '%s' "$database" | keep postgres_password
    printf '%s' "$catalog" | keep catalog_password
    printf 'postgresql+psycopg2://airflow:%s@postgres:5432/airflow' "$database" | keep airflow_database
    printf 'postgresql+psycopg2://dr_catalog:%s@postgres:5432/dr_catalog' "$catalog" | keep catalog_url
    printf '%s' "$queue" | keep redis_password
    printf 'redis://:%s@redis:6379/0' "$queue" | keep celery_broker
    printf 'redis://:%s@redis:6379/1' "$queue" | keep celery_results
    random | tr -d '\n' | keep airflow_fernet_key
    for name in airflow_secret_key airflow_jwt_secret dr_metrics_token grafana_password; do
        word | tr -d '\n' | keep "$name"
    done
    region us_east_s3 us-east
    region eu_west_s3 eu-west
    region ap_south_s3 ap-south
    shown=$("$drctl" keys generate --out "$made/keys")
    printf '%s\n' "$shown" | sed -e "s|file:.*ops.agekey|file:/run/secrets/dr_identity|" \
        -e "s|file:.*writer.key|file:/run/secrets/dr_writer_key|" -e "s|file:.*signer.key|file:/run/secrets/dr_signing_key|" |
        sed -n '/^encryption:/,/^  trusted:/p' | keep public.yaml
    key dr_identity ops.agekey
    key dr_writer_key writer.key
    key dr_signing_key signer.key
    find "$made" -maxdepth 1 -type f -exec chmod 444 {} +
    mv "$made" secrets
fi
if [ -d secrets/keys ]; then
    [ ! -e keys ] || refuse "keys/ is there, and secrets/keys, too: keep the one that $config names, and remove the other"
    mv secrets/keys keys
fi
if ! grep -qE '^(encryption|signing):' "$config"; then
    { cat "$config" && printf '\n' && cat secrets/public.yaml; } >"$config.new"
    chmod 644 "$config.new" # it holds no secret, and containers read it
    mv "$config.new" "$config"
    echo "make-secrets: wrote secrets/ and $config; keep a copy of secrets/ in a safe place that is not this machine"
    echo "make-secrets: print keys/escrow.agekey with 'drctl keys escrow', keep keys/ops.agekey elsewhere too, and remove keys/"
    echo "make-secrets: from this machine: without an identity no backup can be read, by anybody"
else
    echo "make-secrets: secrets/ is there already and stays as it is" >&2
    exit 7
fi
