"""What can be made to break under a running service; each puts things right again before it returns."""

import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from experiments.benchmarks.service.faults import HELD_S, SETTLED_S, Postgres, altered
from experiments.benchmarks.service.injected.clients import Window
from experiments.benchmarks.service.injected.clock import MovedClock
from experiments.benchmarks.service.processes import Server, ServerError, wait_until
from experiments.benchmarks.service.school import School
from features.bundle import MANIFEST, write_bundle
from features.publications.reading import STATISTICS
from training.records.tracking import Tracking

HOUR_S = 3600
ERASE_S = 12.0
"""Within which an erasure is killed; it takes about as long."""

SMALLEST_FILE = 4096
"""Bytes beyond which no file can be written while the disk is full."""


@dataclass
class Place:
    """A service that runs, and all that can be broken.

    Attributes:
        school: Its home and its store of models are copies.
        url: The URL of its database.
        server: Two workers.
        clock: The clock of the workers.
        postgres: The server of its database; None where that is a SQLite file.
        rng: Decides on the moments.
        erased: Students who were erased so far.
        doubled_before: What `count_doubled` finds in the school as it was kept.
    """

    school: School
    url: str
    server: Server
    clock: MovedClock
    postgres: Postgres | None
    rng: random.Random
    students: list[str]
    erased: list[str]
    doubled_before: int

    @property
    def file(self) -> Path:
        """The SQLite file."""
        return self.school.home / "regroup.db"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of commands."""
        return {**os.environ, **self.school.environment, "REGROUP_DATABASE_URL": self.url}

    def rest(self, least: float, most: float) -> None:
        """Lets the clients go on for a while."""
        time.sleep(self.rng.uniform(least, most))


def kill_worker(place: Place) -> None:
    """Kills one of the workers, in the middle of whatever it does; another takes its place."""
    before = set(place.server.workers())
    os.kill(place.rng.choice(sorted(before)), signal.SIGKILL)
    wait_until(lambda: set(place.server.workers()) - before, SETTLED_S)


def kill_erasure(place: Place) -> None:
    """Kills an erasure and a worker in the middle, and erases the student again, to the end."""
    student = place.students.pop()
    command = [sys.executable, "-m", "serving", "erase", student, "--yes"]
    first = subprocess.Popen(command, env=place.environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)  # noqa: S603 - our own command
    with first:
        place.rest(0, ERASE_S)
        first.kill()
    kill_worker(place)
    for _ in range(5):
        done = subprocess.run(command, env=place.environment, check=False, capture_output=True, text=True)  # noqa: S603
        if done.returncode == 0:
            place.erased.append(student)
            return
        time.sleep(2)
    raise ServerError(f"an erasure did not come to an end: {done.stderr[-300:]}")


def fill_disk(place: Place) -> None:
    """Lets the workers write no file beyond some bytes, which a full disk does to them."""
    workers = place.server.workers()
    for worker in workers:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (SMALLEST_FILE, resource.RLIM_INFINITY))
    place.rest(1, 4)
    for worker in workers:
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def replace_file(place: Place) -> Window:
    """Puts a back-up in the place of the SQLite file."""
    backup, begin = place.file.with_name("backup"), time.monotonic()
    _copy(place.file, backup)
    place.rest(0.5, 3)
    backup.replace(place.file)
    return Window(begin, time.monotonic())


def take_file_away(place: Place) -> None:
    """Moves the SQLite file away, and back."""
    aside = place.file.with_name("aside")
    place.file.rename(aside)
    place.rest(0.5, 4)
    aside.rename(place.file)


def restore_file(place: Place) -> Window:
    """Restores a back-up into the SQLite file."""
    backup, begin = place.file.with_name("backup"), time.monotonic()
    _copy(place.file, backup)
    place.rest(0.5, 3)
    _copy(backup, place.file)
    backup.unlink()
    return Window(begin, time.monotonic())


def restart_database(place: Place) -> None:
    """Restarts PostgreSQL."""
    assert place.postgres is not None
    place.postgres.restart()


def restore_database(place: Place) -> Window:
    """Restores a dump into PostgreSQL; where it and a client wait for each other, the server may end either."""
    assert place.postgres is not None
    dump, begin = place.postgres.folder / "dump", time.monotonic()
    host = ("-h", str(place.postgres.folder), "-U", "postgres", "-d", "postgres")
    _run(place.postgres, "pg_dump", *host, "-Fc", "-f", str(dump))
    place.rest(0.5, 3)
    restore = ("pg_restore", *host, "--clean", "--if-exists", "--single-transaction", str(dump))
    postgres = place.postgres
    if not wait_until(lambda: _ended_alone(postgres, *restore), SETTLED_S):
        raise ServerError("the dump could not be restored beside the clients")
    dump.unlink()
    return Window(begin, time.monotonic())


def move_clock_forward(place: Place) -> None:
    """Moves the workers' clock an hour forward, and back."""
    place.clock.move(HOUR_S)
    place.rest(2, 5)
    place.clock.move(0)


def move_clock_back(place: Place) -> None:
    """Moves the workers' clock an hour back, and forward."""
    place.clock.move(-HOUR_S)
    place.rest(2, 5)
    place.clock.move(0)


def hang_registry(place: Place) -> None:
    """Locks the registry's database, so that it does not answer."""
    with closing(sqlite3.connect(place.school.store.removeprefix("sqlite:///"), timeout=60)) as registry:
        registry.execute("BEGIN EXCLUSIVE")
        place.rest(3, 8)
        registry.rollback()


def promote_unreadable_model(place: Place) -> None:
    """Makes a version champion whose trees are cut in half, with hashes that fit, and then the one before again."""
    tracking = Tracking(place.school.store)
    first = tracking.champion()
    assert first is not None, "the school was trained"
    with _planted_run(place.school, tracking, first) as run_id:
        tracking.promote(run_id)
        time.sleep(HELD_S)
        tracking.promote(first)


def alter_profiles_and_copy(place: Place) -> None:
    """Publishes profiles and alters them and the copy of what served last; a worker has to start meanwhile."""
    run = next(path for path in (place.school.home / "published").iterdir() if path.is_dir())
    newest = max(run.glob(f"*/{MANIFEST}"), key=lambda path: path.stat().st_mtime_ns).parent
    copy = place.school.home / "served" / "last-good" / "profiles" / STATISTICS
    draft, published = run / ".altered", run / "altered"
    shutil.copytree(newest, draft)
    with altered(draft / STATISTICS), altered(copy):
        draft.rename(published)
        os.utime(published / MANIFEST)
        kill_worker(place)
        time.sleep(HELD_S)
        published.rename(draft)
    shutil.rmtree(draft)


ON_SQLITE: Mapping[str, Callable[[Place], Window | None]] = {
    "worker killed": kill_worker,
    "erasure and worker killed": kill_erasure,
    "disk full": fill_disk,
    "file replaced": replace_file,
    "file taken away": take_file_away,
    "back-up restored": restore_file,
    "clock an hour forward": move_clock_forward,
    "clock an hour back": move_clock_back,
    "registry hangs": hang_registry,
    "unreadable model": promote_unreadable_model,
    "altered profiles and copy": alter_profiles_and_copy,
}
"""Faults of a service on a SQLite file."""

ON_POSTGRES: Mapping[str, Callable[[Place], Window | None]] = {
    "database restarted": restart_database,
    "dump restored": restore_database,
    "worker killed": kill_worker,
    "erasure and worker killed": kill_erasure,
}
"""Faults of a service on PostgreSQL."""


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source, timeout=60)) as old, closing(sqlite3.connect(target, timeout=60)) as new:
        old.backup(new)


def _ended_alone(postgres: Postgres, program: str, *arguments: str) -> bool:
    """Runs a program; returns False where the server ended it since a client and it waited for each other."""
    try:
        _run(postgres, program, *arguments)
    except ServerError as error:
        if "deadlock" not in str(error):
            raise
        return False
    return True


def _run(postgres: Postgres, program: str, *arguments: str) -> None:
    command = [str(postgres.binaries / program), *arguments]
    done = subprocess.run(command, check=False, user=postgres.user, cwd=postgres.folder, capture_output=True, text=True)  # noqa: S603 - our own programs
    if done.returncode:
        raise ServerError(f"{program} ended with exit code {done.returncode}: {done.stderr[-1500:]}")


@contextmanager
def _planted_run(school: School, tracking: Tracking, like: str) -> Iterator[str]:
    """A registered and published run like another, with half the trees."""
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds

    client, place = MlflowClient(school.store, school.store), school.folder / "planted"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for forecast in ("struggle", "mastery"):
        client.download_artifacts(like, forecast, str(place))
    _rewrite(place / "struggle", {}, halve=True)
    name = f"faults-{time.monotonic_ns()}"
    experiment = client.create_experiment(name, artifact_location=(school.folder / name).as_uri())
    run_id = str(client.create_run(experiment).info.run_id)
    client.log_artifacts(run_id, str(place))
    tracking.register(run_id, ("struggle", "mastery"))
    source = next((school.home / "published" / like).glob(f"[!.]*/{MANIFEST}")).parent
    published = school.home / "published" / run_id
    shutil.copytree(source, published / source.name)
    _rewrite(published / source.name, {"run_id": run_id})
    try:
        yield run_id
    finally:
        shutil.rmtree(published)
        shutil.rmtree(place)


def _rewrite(folder: Path, facts: Mapping[str, str], *, halve: bool = False) -> None:
    """Writes a bundle again, with other facts or with half its trees, and with hashes that fit."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    content = {name: (folder / name).read_bytes() for name in manifest.pop("files")}
    if halve:
        content["model.lgb"] = content["model.lgb"][: len(content["model.lgb"]) // 2]
    shutil.rmtree(folder)

    def write(draft: Path) -> None:
        for name, data in content.items():
            (draft / name).write_bytes(data)

    write_bundle(folder, {**manifest, **facts}, write)
