#!/bin/sh
# Writes deploy/compose.pinned.yaml: every image that docker-compose.yaml pulls, by the digest that lies here now. Pull first, and
# look at what you pulled. Then: docker compose -f docker-compose.yaml -f deploy/compose.pinned.yaml up
set -eu
cd "$(dirname "$0")/.."
docker=${DOCKER:-docker}
out=deploy/compose.pinned.yaml

trap 'rm -f "$out.new"' EXIT
echo "services:" >"$out.new"
sed -n -e 's/^  \([a-z-]*\):$/service \1/p' -e 's/^    image: \(.*\)$/image \1/p' docker-compose.yaml | while read -r kind word; do
    case $kind in
    service) service=$word ;;
    image)
        digest=$("$docker" image inspect --format '{{index .RepoDigests 0}}' "$word") || {
            echo "pin-images: $word is not here; run 'docker compose pull' first" >&2
            exit 5
        }
        case $digest in
        *@sha256:*) printf '  %s: {image: "%s"}\n' "$service" "$digest" >>"$out.new" ;;
        *)
            echo "pin-images: $word has no digest: it was not pulled" >&2
            exit 5
            ;;
        esac
        ;;
    esac
done
mv "$out.new" "$out"
echo "pin-images: wrote $out"
