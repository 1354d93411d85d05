"""The errors that a user sees, in three branches, and the exit codes of the commands.

RegroupError                    1  anything a user can put right
├── InputError                  2  a file, a path or a setting that was given is wrong; give another
│   └── TooManyRejectedError    3  more rows break a rule than the run allows
├── MissingError                4  something that has to be made first is not there yet; make it
└── UnavailableError           75  the machine refuses, whatever was given; try again when it is put right
    ├── BusyError              75  another process holds the lock or the database
    ├── DatabaseAwayError      75  the database does not answer, or refuses this user
    └── HubError               75  a hub of rosters does not answer, or not with the whole roster

Only an `InputError` may set a log file aside: what the machine refuses today it may read tomorrow.
"""

import errno
import os
import re
from collections.abc import Collection
from typing import ClassVar

WRONG_PATH = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP})
"""Error numbers of a path that does not name what it should."""

NO_RIGHTS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""Error numbers of a file or folder that this user may not read or write."""

DISK_TROUBLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""Error numbers of a disk that is full, has no room for this user or for so large a file, or fails."""

USER_PATH = WRONG_PATH | NO_RIGHTS
"""Error numbers of a wrong path on the command line: one that names nothing, or that this user may not use."""

REASONS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "the disk is full; make room and try again"),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "too many files are open; close programs, or raise `ulimit -n`"),
    **dict.fromkeys(NO_RIGHTS, "permission denied; give this user the right to read and write there"),
}
"""Messages for error numbers where the system's own words do not say what would be right."""


class RegroupError(Exception):
    """Says what was wrong, the value, and what would be right, in words without student data."""

    exit_code: ClassVar[int] = 1


class InputError(RegroupError):
    """A file, a path or a setting that was given is wrong."""

    exit_code = 2


class TooManyRejectedError(InputError):
    """More rows break a rule than the run allows; nothing was stored."""

    exit_code = 3


class MissingError(RegroupError):
    """Something that has to be made first is not there yet."""

    exit_code = 4


class UnavailableError(RegroupError):
    """The machine refuses, whatever was given: a full disk, missing rights, a store that does not answer."""

    exit_code = 75


class BusyError(UnavailableError):
    """Another process holds the lock or the database; the same call may work later."""


class DatabaseAwayError(UnavailableError):
    """The database does not answer, or refuses this user; a service goes on with what it has read."""


class HubError(UnavailableError):
    """A hub of rosters does not answer, or gives lists that are not known to be whole; nothing was changed."""


def explain_os_error(error: Exception, what: str, input_errors: Collection[int] = ()) -> RegroupError:
    """The error that says in one sentence why the operating system refused something.

    Args:
        error: An `OSError`, or another error whose text holds the number of one, as those of Delta Lake do.
        what: What could not be done, such as "log.csv cannot be read".
        input_errors: The error numbers of a mistake of the user, such as `WRONG_PATH`; they become an `InputError`,
            all others an `UnavailableError`.

    Example:
        >>> explain_os_error(OSError(errno.ENOSPC, "No space left on device"), "counts.json cannot be written")
        UnavailableError('counts.json cannot be written: the disk is full; make room and try again')
    """
    number = error_number(error)
    if number is None:
        return UnavailableError(f"{what}: {type(error).__name__}")
    kind = InputError if number in input_errors else UnavailableError
    return kind(f"{what}: {REASONS.get(number) or os.strerror(number)}")


def find_disk_error(error: BaseException | None) -> OSError | None:
    """The refusal of a disk that another error came of, such as that of an archive which cannot be closed either."""
    while error is not None and not isinstance(error, RegroupError):
        if isinstance(error, OSError) and error.errno in DISK_TROUBLE:
            return error
        error = error.__cause__ or error.__context__
    return None


def error_number(error: Exception) -> int | None:
    """The operating system's number of an error, also of one that quotes another; null where there is none."""
    number = getattr(error, "errno", None)
    if number is None and (found := re.search(r"(?:os error|Errno|Os \{ code:) (\d+)", str(error))):
        number = int(found[1])
    return number
