"""A small school in a home of its own, with an MLflow store, for runs, searches and audits."""

import pytest

from experiments.simulation import SchoolConfig, simulate_school, write_school
from features.events.ingest import ingest_file
from features.home import Home
from features.roster import read_roster_files, save_roster
from tests.conftest import copy_database


@pytest.fixture(scope="module")
def school(tmp_path_factory, migrated_mlflow):
    """A home with a small school's log and roster, and an MLflow store, as the environment names them."""
    place = tmp_path_factory.mktemp("workbench")
    config = SchoolConfig(teams=1, students_per_team=40, weeks=4, skills=9, strands=3, items_per_skill=20)
    write_school(simulate_school(config), place / "school")
    home = Home(place / "home")
    ingest_file(home, place / "school" / "log.parquet", mapping=place / "school" / "mapping.toml")
    save_roster(read_roster_files(place / "school" / "roster"), home.database_url())
    (home.experiments / "salts").mkdir(parents=True)
    (home.experiments / "salts" / "experiments").write_bytes(b"folds")  # the same folds in every run
    copy_database(migrated_mlflow, place / "mlruns" / "mlflow.db")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REGROUP_HOME", str(home.root))
        environment.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place / 'mlruns' / 'mlflow.db'}")
        environment.delenv("REGROUP_DATABASE_URL", raising=False)
        yield home
