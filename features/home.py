"""Where regroup keeps what it stores: `REGROUP_HOME`, `./var` unless set."""

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from features.errors import WRONG_PATH, BusyError, explain_os_error, find_disk_error

logger = logging.getLogger("regroup")

WAIT_S = 60.0
"""How long work waits for other work on the same data; an erasure is over sooner, so no night fails because of one."""

MAPPING = "mapping.toml"
"""Name of what says how the log files beside it are read."""

DONE_WITH = ("done", "refused")
"""Folders of log files that were read, and of those that are wrong themselves."""


class _Place:
    """A file or folder of a home, by its name there."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, home: "Home", _: type["Home"]) -> Path:
        """Its path."""
        return home.root / self.name


@dataclass(frozen=True)
class Home:
    """The folder of one installation; nothing in it is ever in git.

    Attributes:
        root: The folder itself; made on first use.
    """

    root: Path

    audit = _Place("audit")
    """The newest entries of the service's audit log, those that are not in the database yet among them."""

    events = _Place("events")
    """The event log, a Delta Lake table."""

    item_skills = _Place("item_skills")
    """Which skills an item needs, a Delta Lake table."""

    rejected = _Place("rejected")
    """One Parquet file of rejected rows per ingest, beside the event log."""

    staging = _Place("staging")
    """Rows on their way into the event log; safe to delete when no ingest runs."""

    published = _Place("published")
    """Profiles that the service reads, one folder per model run and moment."""

    served = _Place("served")
    """A copy of what the service loaded last, for a start without the registry."""

    database_marker = _Place("database.json")
    """Says which database the service has used with this home."""

    trials = _Place("trials")
    """Which models and profiles the service has tried, and what came of it."""

    decisions = _Place("decisions")
    """One readable record per nightly decision."""

    checks = _Place("checks")
    """What was measured of each night, one small file for each, which names no student."""

    unfinished = _Place("unfinished")
    """What a night has computed that has not ended, such as one that was killed."""

    experiments = _Place("experiments")
    """Forecasts of the rows that experiments were scored on, by salted numbers instead of ids."""

    @property
    def erasures(self) -> Path:
        """The list of erasures, which is never restored from a back-up; `REGROUP_ERASURES` puts it on another disk."""
        return Path(os.environ.get("REGROUP_ERASURES") or self.root / "erasures.jsonl").resolve()

    inbox = _Place("inbox")
    """Log files that the next nightly run ingests, with a `mapping.toml` beside them if they need one."""

    def inbox_folders(self) -> list[Path]:
        """The inbox and the folder in it for each source, sorted; none where there is no inbox."""
        if not self.inbox.is_dir():
            return []
        inside = (path for path in self.inbox.iterdir() if path.is_dir() and path.name[0] != ".")
        return [self.inbox, *sorted(path for path in inside if path.name not in DONE_WITH)]

    def inbox_files(self) -> list[Path]:
        """The files that wait in the inbox and in the folders of its sources, without mappings, by folder and name."""
        paths = [path for folder in self.inbox_folders() for path in sorted(folder.iterdir())]
        return [path for path in paths if path.name != MAPPING and path.name[0] != "." and path.is_file()]

    def inbox_mapping(self, path: Path) -> Path | None:
        """The mapping of a file or folder in the inbox: that of its source, else the inbox's own; null without any."""
        folder = self.inbox.joinpath(*path.relative_to(self.inbox).parts[:1])
        choices = (folder / MAPPING, self.inbox / MAPPING)
        return next((choice for choice in choices if choice.is_file()), None)

    def lock(self, name: str) -> Path:
        """The lock file of one kind of work, such as `ingest` or `nightly`."""
        return self.root / f"{name}.lock"

    def make(self) -> None:
        """Makes the folder for its owner alone, and closes to others one that is there.

        A folder that everybody writes to, such as `/tmp`, and one of another owner stay as they are.

        Raises:
            InputError: `REGROUP_HOME` does not name a folder.
            UnavailableError: The disk is full, or this user may not write there.
        """
        try:
            self.root.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
            mode = stat.S_IMODE(self.root.stat().st_mode)
        except OSError as error:
            raise explain_os_error(error, f"REGROUP_HOME {self.root} cannot be made", WRONG_PATH) from None
        if mode & ~stat.S_IRWXU and not mode & stat.S_ISVTX:
            with suppress(PermissionError):
                self.root.chmod(stat.S_IRWXU)

    @contextmanager
    def work(self, *locks: str, busy: str) -> Iterator[None]:
        """Makes the folder, locks out other processes, and turns errors of the disk into sentences.

        Args:
            locks: Names of locks to take in this order, each of which is waited for.
            busy: The message where another process holds one of them for longer than `WAIT_S`.

        Raises:
            InputError: `REGROUP_HOME` does not name a folder.
            BusyError: Another process holds a lock.
            UnavailableError: The disk is full, or this user may not write there.
        """
        self.make()
        try:
            with ExitStack() as held:
                for name in locks:
                    lock = FileLock(self.lock(name))
                    try:
                        held.enter_context(lock.acquire(timeout=0))
                    except Timeout:
                        logger.info("%s (waiting for up to %.0f s)", busy, WAIT_S)
                        held.enter_context(lock.acquire(timeout=WAIT_S))
                yield
        except Timeout:
            raise BusyError(busy) from None
        except Exception as error:
            refused = error if isinstance(error, OSError) else find_disk_error(error)
            if refused is None:
                raise
            raise explain_os_error(refused, f"{refused.filename or self.root} cannot be read or written") from error

    def database_url(self) -> str:
        """`REGROUP_DATABASE_URL`, else a SQLite file in this home."""
        return os.environ.get("REGROUP_DATABASE_URL") or f"sqlite:///{self.root / 'regroup.db'}"


def read_home() -> Home:
    """The home that the environment names, with an absolute path.

    Example:
        >>> read_home().events.name
        'events'
    """
    return Home(Path(os.environ.get("REGROUP_HOME") or "var").resolve())


def tracking_uri() -> str:
    """Where MLflow keeps versions: `MLFLOW_TRACKING_URI`, else a SQLite file in `./mlruns`."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path('mlruns').resolve() / 'mlflow.db'}"
