#!/usr/bin/env bash
# Installs what `make demo`, `make test` or `make bench` needs and nothing else; does nothing when it is all there.
#   provisioning/setup.sh demo|test|bench
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:?demo, test or bench}
needs=$what

case $what in
demo) packages=(python3-venv libopus0 fonts-noto-cjk) ;;
test | bench)
    packages=(python3-venv libopus0 fonts-noto-cjk python3-dev gcc portaudio19-dev pulseaudio pulseaudio-utils libasound2-plugins opus-tools sqlite3 mgetty-voice libspandsp2 libspeexdsp1 age systemd postgresql swift-proxy swift-account swift-container swift-object memcached)
    needs=test
    if [ "$what" = bench ]; then packages+=(baresip-core nginx-light); fi # a telephone and a server to compare ours with
    ;;
*)
    echo "setup.sh: demo, test or bench, not '$what'" >&2
    exit 2
    ;;
esac

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

missing() {
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

browser() { # Ubuntu's apt has chromium-browser instead
    for name in chromium chromium-browser google-chrome; do command -v "$name" >/dev/null && return 0; done
    return 1
}

keep_services_down() { # tests start services of their own; Debian's need not run because of them
    local policy=/usr/sbin/policy-rc.d
    [ ! -e $policy ] || return 0
    printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
    as_root chmod 755 $policy
    # shellcheck disable=SC2064  # the name is known now, and local
    trap "as_root rm -f $policy" EXIT
}

install_packages() {
    local wanted
    mapfile -t wanted < <(missing "${packages[@]}")
    if [ "$needs" = test ] && ! browser; then wanted+=(browser); fi
    [ ${#wanted[@]} -eq 0 ] && return
    echo "setup: installing ${wanted[*]}"
    as_root apt-get update -qq
    if [ "${wanted[-1]}" = browser ]; then
        wanted[-1]=chromium
        # Not through a pipe: grep -q would close it early, and pipefail take that for a missing package.
        [[ $(LC_ALL=C apt-cache policy chromium) == *'Candidate: '[0-9]* ]] || wanted[-1]=chromium-browser
    fi
    keep_services_down
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${wanted[@]}" >/dev/null
}

python() { # the first Python from 3.11 to 3.13
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    echo "setup: no Python 3.11, 3.12 or 3.13 found; name one with PYTHON=..." >&2
    return 1
}

requirements=provisioning/requirements/$needs.txt
stamp=.venv/$what.$(cat "$requirements" pyproject.toml provisioning/setup.sh | sha256sum | cut -c1-16)

[ -e "$stamp" ] && exit 0
install_packages
[ -x .venv/bin/python ] || "$(python)" -m venv .venv
echo "setup: Python packages for $what"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$requirements"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
rm -f .venv/"$what".????????????????
touch "$stamp"
