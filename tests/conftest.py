"""What every room's tests may stand on."""

import pytest

from tests.backends import Postgresql


@pytest.fixture(scope="session")
def postgresql():
    """A PostgreSQL of these tests' own: `new()` makes a database."""
    cluster = Postgresql()
    yield cluster
    cluster.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """A new database on each engine; `upgrade` makes its tables, or finds them there."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'server.db'}"
        return
    cluster = request.getfixturevalue("postgresql")
    url = cluster.new()
    yield url
    cluster.drop(url)
