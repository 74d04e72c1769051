#!/bin/sh
# Takes the places of database and archive, with their passwords, from a secret file; `docker inspect` shows none of them.
set -eu
file=${BOOTH_SECRETS:-/run/secrets/server.env}
if [ -r "$file" ]; then
    set -a
    . "$file"
    set +a
fi
exec booth-provision "$@"
