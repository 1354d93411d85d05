"""The service on a database of its own, so that decisions made here leave the school's own plans alone."""

import uuid
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient

from features.roster import read_roster_files, save_roster
from serving.app import create_app


@pytest.fixture(scope="session")
def open_service(trained_school, simulated_school, give_key, tmp_path_factory):
    """Opens the service with the school's roster in a new SQLite file, or in a new database of a PostgreSQL."""

    @contextmanager
    def _open(postgres_url=None):
        url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'regroup.db'}"
        if postgres_url is not None:
            url = add_database(postgres_url)
        save_roster(read_roster_files(simulated_school.folder / "roster"), url)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("REGROUP_DATABASE_URL", url)
            app = create_app()
            headers = {"Authorization": f"Bearer {give_key(url)}"}
            with TestClient(app, raise_server_exceptions=False, headers=headers) as client:
                yield client

    return _open


def add_database(postgres_url):
    import psycopg  # noqa: PLC0415 - only where PostgreSQL is

    name = f"d{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return postgres_url.replace("/postgres?", f"/{name}?")
