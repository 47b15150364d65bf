#!/bin/sh
# Makes the keys of the vaults: the secrets that services need go into .env, the public ones into dr.yaml, and all four
# files lie in keys/ until you have put them in safe places. What is there already is never touched. Prints no secret.
set -eu
cd "$(dirname "$0")/.."
umask 077

refuse() {
    echo "make-keys: $1" >&2
    exit 7
}
value() { # of a name in .env
    sed -n "s/^$1=//p" .env
}
secret() { # of a key file, without its comments
    grep -v '^#' "keys/$1"
}

[ -e .env ] || refuse "there is no .env; run deploy/make-env.sh first"
config=$(value DR_CONFIG_FILE)
[ -z "$(value DR_IDENTITY)$(value DR_WRITER_KEY)$(value DR_SIGNING_KEY)" ] || refuse ".env holds keys already and stays as it is"
! grep -qE '^(encryption|signing):' "$config" || refuse "$config names keys already and stays as it is"

made=$("${DRCTL:-.venv/bin/drctl}" keys generate --out keys) # refuses when keys/ is there
public=$(printf '%s\n' "$made" | sed -e '/^$/,$d' -e '/^  \(identity\|writer\|key\):/d') # where secrets are: in .env
printf '\n%s\n' "$public" >>"$config"
while IFS= read -r line; do # printf is part of the shell: as an argument of a program, a secret is for everyone to read
    case $line in
    DR_IDENTITY=) printf '%s%s\n' "$line" "$(secret ops.agekey)" ;;
    DR_WRITER_KEY=) printf '%s%s\n' "$line" "$(secret writer.key)" ;;
    DR_SIGNING_KEY=) printf '%s%s\n' "$line" "$(secret signer.key)" ;;
    *) printf '%s\n' "$line" ;;
    esac
done <.env >.env.new
mv .env.new .env
echo "make-keys: .env and $config are complete. Print keys/escrow.agekey with 'drctl keys escrow', keep keys/ops.agekey"
echo "elsewhere too, and remove keys/ from this machine: without an identity no backup can be read, by anybody"
