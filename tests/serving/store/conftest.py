"""An empty database of each kind that the service may keep things in."""

import pytest

from features.database import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    url = f"sqlite:///{tmp_path / 'regroup.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres")
    with Database(url, connections=8) as database:
        yield database
