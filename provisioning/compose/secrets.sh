#!/bin/sh
# Makes the secrets of compose.yaml, once, each of them random; what is there stays.
#   provisioning/compose/secrets.sh
set -eu
umask 077
cd "$(dirname "$0")"
if [ -e secrets ]; then
    echo "secrets.sh: there are secrets already; remove the folder 'secrets' only together with all data" >&2
    exit 1
fi
word() { od -An -tx1 -N24 /dev/urandom | tr -d ' \n'; }
mkdir -p secrets.part backups
password=$(word) key=$(word) secret=$(word)
printf '%s' "$password" >secrets.part/database.password
cat >secrets.part/server.env <<END
BOOTH_DATABASE_URL=postgresql://booth:$password@database/boothphone
BOOTH_ARCHIVE_URL=s3://boothphone
AWS_ENDPOINT_URL=http://store:8333
AWS_ACCESS_KEY_ID=$key
AWS_SECRET_ACCESS_KEY=$secret
END
cat >secrets.part/store.json <<END
{"identities": [{"name": "boothphone", "credentials": [{"accessKey": "$key", "secretKey": "$secret"}],
  "actions": ["Admin", "Read", "Write", "List"]}]}
END
# Compose hands files over as they are: each is for the user of its own service.
if [ "$(id -u)" -eq 0 ]; then
    chown 10001:10001 secrets.part/server.env backups
    chown 999:999 secrets.part/database.password
    chown 1000:1000 secrets.part/store.json
else
    echo "secrets.sh: as root it gives each file to the user of its service; do that now:" >&2
    echo "  cd $(pwd) && sudo chown 10001:10001 secrets/server.env backups && sudo chown 999:999 secrets/database.password && sudo chown 1000:1000 secrets/store.json" >&2
fi
mv secrets.part secrets
echo "The secrets are in $(pwd)/secrets: keep a copy elsewhere."
