"""A night that the machine stops: files stay in the inbox, exit code 75, and the next night takes them."""

import os
import re
import resource
import shutil
import sqlite3
import subprocess
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow  # noqa: F401 - loaded before a test gives up the right to read Python's own files
import psycopg  # noqa: F401 - as above
import pytest

from features.console import run_command
from features.database import Database
from features.database import connection as connections
from features.events.log.store import has_events, read_events
from features.home import Home
from tests.examples import DATABASES
from training.__main__ import main
from training.errors import DataGateError
from training.records.tracking import Tracking

pytestmark = pytest.mark.long  # whole nights, each with a fault

NOBODY = 65534
MAPPING = '[columns]\nstudent = "who"\nitem = "what"\ntime = "at"\ncorrect = "right"\n'
LOG = "who,what,at,right\n007,i1,2026-03-09T10:00:00Z,1\n007,i2,2026-03-09T10:01:00Z,0\n"


@pytest.fixture(params=DATABASES)
def home(request, migrated_mlflow, monkeypatch):
    """A home with one log in its inbox and either database; its folder may be given to another user."""
    place = Path(tempfile.mkdtemp(prefix="night-"))
    home = Home(place / "home")
    home.inbox.mkdir(parents=True)
    (home.inbox / "mapping.toml").write_text(MAPPING)
    (home.inbox / "monday.csv").write_text(LOG)
    (place / "mlruns").mkdir()
    shutil.copy(migrated_mlflow, place / "mlruns" / "mlflow.db")
    url = f"sqlite:///{place / 'database' / 'regroup.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("empty_postgres")
    monkeypatch.setenv("REGROUP_HOME", str(home.root))
    monkeypatch.setenv("REGROUP_DATABASE_URL", url)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place}/mlruns/mlflow.db")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setattr(connections, "WAIT_S", 1)
    with Database(url) as database:
        database.migrate()
    yield home
    shutil.rmtree(place)


def night():
    """The command's exit code."""
    with pytest.raises(SystemExit) as end:
        run_command(lambda: main(["nightly"]))
    return end.value.code


@contextmanager
def another_user(*folders):
    """Root may read and write everything, so it becomes somebody else for a while; others lose their own rights."""
    for folder in folders:
        folder.chmod(0o500 if os.geteuid() else 0o755)
    home = Path(os.environ["REGROUP_HOME"])
    home.parent.chmod(0o755)
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        for folder in folders:
            folder.chmod(0o755)


def give_away(folder):
    """Makes everything in a folder that of the user whom root becomes; who owned it."""
    owner = os.geteuid()
    if owner == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
    return owner


@contextmanager
def database_away(home):
    """A server whose port is closed, or a file that is a folder."""
    url = os.environ["REGROUP_DATABASE_URL"]
    (home.root / "folder").mkdir()
    away = f"sqlite:///{home.root / 'folder'}" if url.startswith("sqlite") else "postgresql://me:hunter2@localhost:1/x"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("REGROUP_DATABASE_URL", away)
        yield


@contextmanager
def database_busy(home):
    """Another process has the file to itself, or its table."""
    del home
    url = os.environ["REGROUP_DATABASE_URL"]
    if url.startswith("postgresql"):
        pytest.skip("readers of PostgreSQL wait for nobody")
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as holder:
        holder.execute("PRAGMA locking_mode = EXCLUSIVE")
        holder.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def disk_full(home):
    """A file system of its own, filled up but for a few kilobytes; what is in the home moves there and back."""
    there = home.root.with_name("there")
    home.root.rename(there)
    home.root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(home.root)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        home.root.rmdir()
        there.rename(home.root)
        pytest.skip("no file system can be mounted here; the limit of a file's size is tested everywhere")
    try:
        shutil.copytree(there, home.root, dirs_exist_ok=True)
        with pytest.raises(OSError, match="No space left"):
            (home.root / "filler").write_bytes(bytes(2**20))
        yield
        shutil.rmtree(there)
        shutil.copytree(home.root, there, ignore=shutil.ignore_patterns("filler"))
    finally:
        subprocess.run(["umount", "--lazy", str(home.root)], check=True)
        home.root.rmdir()
        there.rename(home.root)


@contextmanager
def file_size_limited(home):
    """No file may get larger than 500 bytes, as under `ulimit -f`."""
    del home
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def home_without_rights(home):
    with another_user(home.root):
        yield


@contextmanager
def log_without_rights(home):
    """The home is ours, one file of the inbox is not."""
    log = home.inbox / "monday.csv"
    log.chmod(0)
    log_owner = give_away(home.root.parent)
    os.chown(log, log_owner, log_owner)
    with another_user():
        yield
    log.chmod(0o644)


TROUBLES = {
    database_away: "cannot be used",
    database_busy: "stayed locked",
    disk_full: "the disk is full; make room and try again",
    file_size_limited: "File too large|regroup.db' cannot be (used|changed)",
    home_without_rights: "permission denied",
    log_without_rights: "monday.csv cannot be read or written: permission denied",
}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_the_file_stays_and_the_next_night_takes_it(home, trouble, capsys):
    with trouble(home):
        code = night()
    said = capsys.readouterr().err
    left = {path.name for path in home.inbox.iterdir()}, has_events(home), home.staging.exists()
    next_code = night()

    assert code == 75
    assert re.search(TROUBLES[trouble], said)
    assert "Traceback" not in said
    assert "hunter2" not in said
    assert left == ({"mapping.toml", "monday.csv"}, False, False)
    assert next_code == DataGateError.exit_code  # the log is too short to train on, and was read
    assert [path.name for path in (home.inbox / "done").iterdir()] == ["monday.csv"]
    assert len(read_events(home)) == 2


def test_a_mapping_that_is_wrong_refuses_no_file(home, capsys):
    """It is a setting: the night says what is wrong with it and leaves the files alone."""
    (home.inbox / "mapping.toml").write_text("[columns")

    code = night()

    assert code == 2
    assert "mapping.toml is not TOML" in capsys.readouterr().err
    assert {path.name for path in home.inbox.iterdir()} == {"mapping.toml", "monday.csv"}


def test_a_file_that_is_wrong_is_refused_and_the_others_are_read(home):
    """What is wrong with a file will be so every night."""
    (home.inbox / "sunday.csv").write_bytes(b"\x89PNG\r\n")

    night()

    assert [path.name for path in (home.inbox / "refused").iterdir()] == ["sunday.csv"]
    assert [path.name for path in (home.inbox / "done").iterdir()] == ["monday.csv"]


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_files_of_one_name_are_all_kept(home):
    """Many products write every day's log under the same name."""
    wrong = [b"\x89PNG\r\n" + bytes([number]) for number in range(3)]
    for content in wrong:
        (home.inbox / "sunday.csv").write_bytes(content)
        (home.inbox / "monday.csv").write_text(LOG)
        night()

    refused = {path.name: path.read_bytes() for path in (home.inbox / "refused").iterdir()}
    assert refused == dict(zip(["sunday.csv", "sunday-2.csv", "sunday-3.csv"], wrong, strict=True))
    done = {path.name for path in (home.inbox / "done").iterdir()}
    assert done == {"monday.csv", "monday-2.csv", "monday-3.csv"}


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
def test_each_source_has_a_folder_with_its_own_mapping(home, capsys):
    """A folder without one uses the inbox's; mappings of which nobody knows whose files they are of stop the night."""
    app, other = home.inbox / "app", home.inbox / "other"
    for folder in (app, other):
        folder.mkdir()
    (app / "monday.csv").write_text(LOG.replace("who", "pupil"))
    (other / "tuesday.csv").write_text(LOG.replace("007", "008"))
    wrong = {
        "mapping.toml": (
            MAPPING.replace("who", "pupil"),
            "inbox/mapping.toml name no source",
        ),
        "answers.toml": (MAPPING, "inbox/app/answers.toml is no log file"),
    }

    for name, (text, sentence) in wrong.items():
        (app / name).write_text(text)
        assert night() == 2
        assert sentence in " ".join(capsys.readouterr().err.split())
        (app / name).unlink()
    (app / "mapping.toml").write_text('[file]\nsource = "app"\n' + MAPPING.replace("who", "pupil"))
    night()

    found = read_events(home).groupby("source")["student_id"].unique().map(sorted)
    assert found.to_dict() == {"app": ["007"], "mapped": ["007", "008"]}
    done = sorted(str(path.relative_to(home.inbox)) for path in home.inbox.rglob("*.csv"))
    assert done == ["app/done/monday.csv", "done/monday.csv", "other/done/tuesday.csv"]


@contextmanager
def server_away(home):
    del home
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("MLFLOW_TRACKING_URI", "http://me:hunter2@127.0.0.1:9")
        yield


@contextmanager
def folder_without_rights(home):
    """The home is ours, the folder of MLflow's database is not."""
    owner = give_away(home.root.parent)
    store = home.root.parent / "mlruns"
    for path in (store, *store.iterdir()):
        os.chown(path, owner, owner)
    with another_user(store, *store.iterdir()):
        yield


@pytest.mark.parametrize("home", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("trouble", "sentence"),
    [(server_away, "MLflow's store http://…@127.0.0.1:9 cannot be used"), (folder_without_rights, "permission denied")],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_without_its_model_store_a_night_ends_with_75_and_the_events_are_kept(home, trouble, sentence, capsys):
    night()
    (home.inbox / "tuesday.csv").write_text(LOG.replace("i1", "i3").replace("i2", "i4"))
    with trouble(home):
        code = night()

    said = capsys.readouterr().err
    assert code == 75
    assert sentence in said
    assert "Traceback" not in said
    assert "hunter2" not in said
    assert len(read_events(home)) == 4


def test_an_address_that_names_no_model_store_is_a_wrong_setting(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "bogus://store")

    with pytest.raises(SystemExit) as end:
        run_command(lambda: Tracking() and None)

    assert end.value.code == 2
