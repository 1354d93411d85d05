"""The list of erasures: every tombstone once more, in a file apart from the database.

A back-up of the database does not know who was erased after it was made. The file does, if it is not restored with the
database: it says whom a restored back-up would bring back. It holds keyed hashes and no student.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, insert, select

from features.errors import InputError, explain_os_error
from features.tombstones import TOMBSTONES, add_tombstone


@dataclass(frozen=True)
class Erasure:
    """One erased student.

    Attributes:
        digest: The keyed hash of the student's id.
        salt: The installation's key of the hashes, as hexadecimal digits.
        erased_at: When, in UTC and ISO 8601.
    """

    digest: str
    salt: str
    erased_at: str


def read_list(path: Path) -> dict[str, Erasure]:
    """The erasures in the file by digest; none where there is no file.

    Raises:
        InputError: The file is no list of erasures.
        UnavailableError: It cannot be read.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        listed = [Erasure(**json.loads(line)) for line in lines]
        salts = {bytes.fromhex(erasure.salt) for erasure in listed}
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise explain_os_error(error, f"the list of erasures {path} cannot be read") from None
    except (ValueError, TypeError):
        raise InputError(f"{path} is no list of erasures; put back the latest copy of it") from None
    if len(salts) > 1:
        raise InputError(f"{path} holds erasures of several installations; put back the latest copy of it")
    return {erasure.digest: erasure for erasure in listed}


def complete_list(path: Path, connection: Connection) -> None:
    """Adds the tombstones that the file lacks; they are on disk when it returns.

    Args:
        path: The file; made on first use.
        connection: A transaction that no other erasure runs beside.

    Raises:
        InputError: The file is no list of erasures, or that of another installation.
        UnavailableError: It cannot be written.
    """
    listed, stored = read_list(path), read_stored(connection)
    require_same_installation(path, listed, stored)
    if stored.keys() <= listed.keys():
        return
    text = "".join(f"{json.dumps(asdict(erasure))}\n" for erasure in (listed | stored).values())
    draft = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name too
        finally:
            os.close(folder)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise explain_os_error(error, f"the list of erasures {path} cannot be written") from None


def note_erasure(path: Path, connection: Connection, student_id: str) -> None:
    """Records in the database and in the file that a student is erased; a second time changes nothing.

    The file has it first, so that a process that is killed leaves nobody forgotten.

    Args:
        path: The file.
        connection: As for `complete_list`, whose errors it raises too.
        student_id: The student.
    """
    listed = next(iter(read_list(path).values()), None)
    salt = None if listed is None else bytes.fromhex(listed.salt)
    add_tombstone(connection, student_id, datetime.now(UTC), salt)
    complete_list(path, connection)


def read_stored(connection: Connection) -> dict[str, Erasure]:
    """The tombstones in the database, by digest."""
    rows = connection.execute(select(TOMBSTONES)).all()
    return {row.digest: Erasure(row.digest, row.salt.hex(), row.erased_at.isoformat()) for row in rows}


def add_listed(connection: Connection, missing: Mapping[str, Erasure]) -> None:
    """Adds tombstones from the file to the database."""
    rows = [
        {
            "digest": erasure.digest,
            "salt": bytes.fromhex(erasure.salt),
            "erased_at": datetime.fromisoformat(erasure.erased_at),
        }
        for erasure in missing.values()
    ]
    if rows:
        connection.execute(insert(TOMBSTONES), rows)


def require_same_installation(path: Path, listed: Mapping[str, Erasure], stored: Mapping[str, Erasure]) -> None:
    """Refuses a list and a database whose hashes have other keys.

    Raises:
        InputError: They are of two installations.
    """
    if len({erasure.salt for erasure in (*listed.values(), *stored.values())}) > 1:
        raise InputError(f"the list of erasures {path} is of another installation than the database")
