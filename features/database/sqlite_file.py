"""Which file a SQLite database is, whatever its name says later.

Connections that are open go on with a file that was moved away or replaced: what they keep then is lost with them.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path

from features.errors import DatabaseAwayError

FileId = tuple[int, int]
"""Device and inode."""

PAUSE_S = 0.02
"""Seconds until a checkpoint is tried again."""


class SqliteFile:
    """The file of the open connections of a process, for all its threads.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changes, self._shared = (path.with_name(f"{path.name}-{end}") for end in ("wal", "shm"))
        self._lock = threading.Lock()
        self._open: FileId | None = None
        self._log: FileId | None = None

    def is_there(self) -> bool:
        """Whether there is a file; one that may not be looked at is, and opening it says why it cannot be."""
        try:
            self.path.stat()
        except OSError as error:
            return not isinstance(error, (FileNotFoundError, NotADirectoryError))
        return True

    def opened(self) -> None:
        """Notes the file before the first connection, or after it where it was made by that."""
        with self._lock:
            self._open = self._open or _file_id(self.path)

    def was_replaced(self) -> bool:
        """Whether another file is in the place of the one that is open; true once, and then that one may be opened.

        The replaced file's log of changes is deleted: SQLite would write it into the file that has the name now.

        Raises:
            DatabaseAwayError: There is no file at all, or it may not be looked at.
        """
        with self._lock:
            if self._open is None:
                return False
            now = _file_id(self.path)
            if now == self._open:
                self._log = _file_id(self._changes)
                return False
            if now is None:
                raise self.gone()
            if self._log is not None and _file_id(self._changes) == self._log:  # another is of the new file already
                self._changes.unlink(missing_ok=True)
                self._shared.unlink(missing_ok=True)
            self._open = self._log = None
            return True

    def gone(self) -> DatabaseAwayError:
        """The error where there is no file, and was one."""
        return DatabaseAwayError(f"the SQLite file {str(self.path)!r} is gone; put it back, or a back-up of it")


def empty_log(execute: Callable[[str], bool], wait_s: float = 0) -> bool:
    """Moves SQLite's log of changes into its file and empties it, since it still holds deleted rows.

    SQLite waits by itself for those who read or change something, but refuses at once while another checkpoint runs.

    Args:
        execute: Executes a statement and returns the first value of its answer.
        wait_s: For how many seconds it is tried again.

    Returns:
        Whether the log is empty; others were at work all the while where not.
    """
    until = time.monotonic() + wait_s
    while execute("PRAGMA wal_checkpoint(TRUNCATE)"):
        if time.monotonic() > until:
            return False
        time.sleep(PAUSE_S)
    return True


def _file_id(path: Path) -> FileId | None:
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DatabaseAwayError(f"the SQLite file {str(path)!r} cannot be looked at: {reason}") from None
    return found.st_dev, found.st_ino
