#!/bin/sh
# Takes the places of database and archive, with their passwords, from a secret file; `docker inspect` shows none of them.
# In the image it is called booth-provision and comes first, so that whoever is let in by `docker exec` has them, too.
set -eu
file=${BOOTH_SECRETS:-/run/secrets/server.env}
if [ -e "$file" ]; then
    if [ ! -r "$file" ]; then # or a second server would begin beside the real one, on files
        echo "booth-provision: user $(id -u) may not read $file: give it to that user, as secrets.sh says" >&2
        exit 1
    fi
    set -a
    . "$file"
    set +a
fi
exec "${BOOTH_PROGRAM:-/opt/boothphone/bin/booth-provision}" "$@"
