"""OpenStack Swift with its S3 door, all four servers in one process: run by Debian's own Python, which has the packages.

    /usr/bin/python3 -P swift_servers.py DIRECTORY KEY SECRET

Writes the port of the S3 door into DIRECTORY/port when it listens. Nothing of it waits for a disk: that Swift keeps what
it was given is not what the tests doubt.
"""

import os
import select
import subprocess
import sys
from pathlib import Path

import eventlet
import eventlet.event
import eventlet.patcher

eventlet.patcher.monkey_patch()

from eventlet import wsgi  # noqa: E402
from swift.common import utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import SwiftHttpProtocol, loadapp  # noqa: E402

PROXY = """
[DEFAULT]
swift_dir = {place}
log_level = ERROR
[pipeline:main]
pipeline = catch_errors cache s3api tempauth bulk slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_test_{key} = {secret} .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
"""
STORAGE = """
[DEFAULT]
swift_dir = {place}
devices = {place}/devices
mount_check = false
disable_fallocate = true
log_level = ERROR
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
"""


def ears():
    """Where each server listens: a port that is free and stays ours."""
    return {kind: eventlet.listen(("127.0.0.1", 0)) for kind in ("account", "container", "object", "proxy")}


def ring(place, kind, port):
    """The one device on which all of a kind lies."""
    builder = RingBuilder(4, 1, 1)
    device = {"id": 0, "region": 1, "zone": 1, "weight": 1, "ip": "127.0.0.1", "port": port, "device": "one"}
    builder.add_dev(device | {"replication_ip": "127.0.0.1", "replication_port": port, "meta": ""})
    builder.rebalance()
    builder.get_ring().save(str(place / f"{kind}.ring.gz"))


def cache(place):
    """The port of a memcached, which ends with us."""
    told = place / "memcached"
    command = ["setpriv", "--pdeathsig", "KILL", "memcached", "-l", "127.0.0.1", "-p", "-1", "-U", "0"]
    subprocess.Popen(command, env=os.environ | {"MEMCACHED_PORT_FILENAME": str(told)})
    while not told.exists():
        select.select([], [], [], 0.01)
    return told.read_text(encoding="ascii").split()[-1]


def main(place, key, secret):
    """Serve until killed."""
    place = Path(place)
    (place / "devices" / "one").mkdir(parents=True)
    utils.HASH_PATH_SUFFIX = utils.HASH_PATH_PREFIX = b"tests"
    os.fsync = os.fdatasync = lambda _: None
    listening = ears()
    facts = {"place": place, "key": key, "secret": secret, "memcached": cache(place)}
    for kind, ear in listening.items():
        if kind != "proxy":
            ring(place, kind, ear.getsockname()[1])
    for kind, ear in listening.items():
        file = place / f"{kind}.conf"
        file.write_text((PROXY if kind == "proxy" else STORAGE).format(kind=kind, **facts), encoding="ascii")
        application = loadapp(str(file), global_conf={"log_name": kind})
        quiet = {"log_output": False, "capitalize_response_headers": False, "protocol": SwiftHttpProtocol}
        eventlet.spawn(wsgi.server, ear, application, **quiet)
    told = place / "port.new"
    told.write_text(str(listening["proxy"].getsockname()[1]), encoding="ascii")
    told.rename(place / "port")
    eventlet.event.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
