"""The vault: display names of the people of teams, in a SQLite file of its own that only its owner reads.

`REGROUP_VAULT` names the file; without it no name is kept anywhere and everything works the same, with ids. Nothing but
the loading of a roster writes to it, and nothing reads it but answers to keys with the scope `names`, and the command
that prints a plan.
"""

import os
import sqlite3
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from features.database.dialects import in_parts
from features.errors import WRONG_PATH, BusyError, InputError, UnavailableError, explain_os_error
from features.roster.people.columns import STUDENT, Who

Put = Callable[[Collection[Who], Mapping[Who, str]], None]
"""Takes the people whose names may be kept, and names that are new or said anew."""

TABLE = """CREATE TABLE IF NOT EXISTS names (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) WITHOUT ROWID"""

WAIT_S = 10.0
"""How long a process waits for another that writes, in seconds."""


class Vault:
    """The names of one installation; for all threads and processes, each of which opens the file when it needs it.

    Args:
        path: The file, made when a roster is loaded.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def replacing(self) -> Iterator[Put]:
        """Gives a function that replaces the names; what it did is kept when the context ends without an error.

        Raises:
            InputError: `REGROUP_VAULT` does not name such a file.
            BusyError: Another process holds it.
            UnavailableError: It cannot be written.
        """
        with self._open(make=True) as file:
            file.execute("BEGIN IMMEDIATE")

            def put(people: Collection[Who], names: Mapping[Who, str]) -> None:
                there = set(people)
                known = {(kind, identity): name for kind, identity, name in file.execute("SELECT * FROM names")}
                kept = {who: name for who, name in (known | dict(names)).items() if who in there}
                file.execute("DELETE FROM names")
                rows = ((*who, name) for who, name in sorted(kept.items()))
                file.executemany("INSERT INTO names VALUES (?, ?, ?)", rows)

            yield put
            file.execute("COMMIT")

    def read(self, kind: str, ids: Collection[str]) -> dict[str, str]:
        """The names of some people by their ids; those without one are left out.

        Args:
            kind: `STUDENT` or `ADULT`.
            ids: Their ids.

        Raises:
            UnavailableError: The file cannot be read; errors as of `replacing`.
        """
        if not self._path.exists():
            return {}
        found = dict[str, str]()
        with self._open() as file:
            for some in in_parts(sorted(ids)):
                places = ",".join("?" * len(some))
                query = f"SELECT id, name FROM names WHERE kind = ? AND id IN ({places})"  # noqa: S608 - places alone
                found.update(file.execute(query, (kind, *some)).fetchall())
        return found

    def forget(self, student_id: str) -> int:
        """Removes a student's name and returns how many there were; what it stood in is overwritten."""
        if not self._path.exists():
            return 0
        with self._open() as file:
            return file.execute("DELETE FROM names WHERE kind = ? AND id = ?", (STUDENT, student_id)).rowcount

    def list_students(self) -> list[str]:
        """The ids of all students who have a name here."""
        if not self._path.exists():
            return []
        with self._open() as file:
            return [row[0] for row in file.execute("SELECT id FROM names WHERE kind = ?", (STUDENT,))]

    @contextmanager
    def _open(self, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        where = f"REGROUP_VAULT {self._path}"
        try:
            if make:
                self._path.parent.mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, stat.S_IRUSR | stat.S_IWUSR))
            if stat.S_IMODE(self._path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
                with suppress(PermissionError):
                    self._path.chmod(stat.S_IRUSR | stat.S_IWUSR)
            file = sqlite3.connect(self._path, timeout=WAIT_S, isolation_level=None)
        except OSError as error:
            raise explain_os_error(error, f"{where} cannot be opened", WRONG_PATH) from None
        except sqlite3.Error as error:
            raise UnavailableError(f"{where} cannot be opened ({error})") from None
        try:
            file.execute("PRAGMA secure_delete = ON")  # what was erased is overwritten
            file.execute(TABLE)
            yield file
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise BusyError(f"{where} is in use by another process; try again") from None
            raise UnavailableError(f"{where} cannot be used ({error})") from None
        except sqlite3.DatabaseError:
            raise InputError(f"{where} is no vault of names; name another file, which is made") from None
        finally:
            file.close()


def find_vault() -> Vault | None:
    """The vault that `REGROUP_VAULT` names; null where names are not kept."""
    path = os.environ.get("REGROUP_VAULT")
    return Vault(Path(path).resolve()) if path else None
