"""Where a server under test keeps what it has: in files, or in services, as its environment says."""

import os
from contextlib import contextmanager

from provisioning.server import archive, environment

WORDS = (environment.DATABASE, archive.PLACE)


@contextmanager
def environed(words):
    """Our environment says so, and that of what we start, while the block lasts."""
    names = {*WORDS, *words}
    before = {name: os.environ.pop(name, None) for name in names}
    os.environ.update(words)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class Files:
    """SQLite and a folder, in the directory of each server."""

    @contextmanager
    def place(self):
        """A place for one server while the block lasts."""
        with environed({}):
            yield


class Services:
    """PostgreSQL and OpenStack Swift's S3: both start when they are first needed."""

    def __init__(self, postgresql, swift):
        self._postgresql, self._swift = postgresql, swift

    @contextmanager
    def place(self):
        """A new database and a new bucket while the block lasts."""
        url = self._postgresql.new()
        words = {environment.DATABASE: url, archive.PLACE: self._swift.new()} | self._swift.words()
        try:
            with environed(words):
                yield
        finally:
            self._postgresql.drop(url)
