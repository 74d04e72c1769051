"""What every room's tests may stand on."""

import pytest

from tests.backends import Postgresql
from tests.places import Files, Services
from tests.swift import Swift

collect_ignore = ["swift_servers.py"]  # Debian's Python runs it, which has what it imports


def pytest_generate_tests(metafunc):
    """Whatever needs a server is tried on files and on services: there in the full size only, but for the strongest."""
    if "backend" in metafunc.fixturenames:
        marks = () if metafunc.definition.get_closest_marker("everywhere") else pytest.mark.soak
        wanted = ["files", pytest.param("services", marks=marks)]
        metafunc.parametrize("backend", wanted, indirect=True, scope="module")


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


@pytest.fixture(scope="session")
def swift():
    """An S3 that is OpenStack Swift's: `new()` makes a bucket."""
    store = Swift()
    yield store
    store.stop()


@pytest.fixture(scope="module")
def backend(request):
    """Where servers keep what they have: `place()` is a new place for one of them."""
    if request.param == "files":
        return Files()
    return Services(request.getfixturevalue("postgresql"), request.getfixturevalue("swift"))


@pytest.fixture
def place(backend, tmp_path):
    """The directory of a test's own server; what such a server keeps elsewhere has its place, too."""
    with backend.place():
        yield tmp_path / "server"
