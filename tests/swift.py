"""An S3 that is not ours: OpenStack Swift from Debian's packages, started for the tests and thrown away with them."""

import os
import shutil
import urllib.request
from datetime import timedelta
from itertools import count
from pathlib import Path

import obstore
from obstore.store import S3Store

from tests.backends import Kept, as_user, directory

SERVERS = Path(__file__).with_name("swift_servers.py")


class Swift:
    """Swift and its memcached, both as Debian's user `swift`; each bucket is new."""

    USER = "swift"  # Debian's package makes it
    KEY, SECRET = "test:booths", "only-for-tests"

    def __init__(self):
        place = directory(self.USER)
        script = shutil.copy(SERVERS, place)  # that user may not look into ours
        run = ["/usr/bin/python3", "-P", script, place / "swift", self.KEY.partition(":")[2], self.SECRET]
        self._kept, self._names = Kept(place, [*as_user(self.USER), *run]), count(1)
        port = place / "swift" / "port"
        self._kept.wait_for(port.exists)
        self.endpoint = f"http://127.0.0.1:{port.read_text(encoding='ascii')}"

    def words(self):
        """What the environment of a server must say."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.KEY,
            "AWS_SECRET_ACCESS_KEY": self.SECRET,
            "AWS_REGION": "us-east-1",
        }

    def new(self):
        """The URL of a new bucket, as BOOTH_ARCHIVE_URL has it."""
        name = f"recordings-{os.getpid()}-{next(self._names)}"
        options = {"endpoint": self.endpoint, "access_key_id": self.KEY, "secret_access_key": self.SECRET}
        bucket = S3Store(name, region="us-east-1", client_options={"allow_http": True}, **options)
        address = obstore.sign(bucket, "PUT", "", timedelta(minutes=1))
        with urllib.request.urlopen(urllib.request.Request(address, method="PUT")) as answer:
            assert answer.status == 200
        return f"s3://{name}/archive"

    def stop(self):
        """Throw it all away."""
        self._kept.stop()
