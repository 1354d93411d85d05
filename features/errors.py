"""What can go wrong between a raw log and a profile.

RegroupError                 anything a user can put right; carries the exit code of a command
├── InputError               a file, mapping or roster that cannot be read as asked
│   └── TooManyRejectedError more rows break a rule than the run allows
├── MissingError             something that has to be made first is not there yet
└── BusyError                another process holds the lock or the database; try again
"""

from typing import ClassVar


class RegroupError(Exception):
    """Says what was wrong, the value, and what would be right, in words without student data."""

    exit_code: ClassVar[int] = 1


class InputError(RegroupError):
    """A file, mapping, setting or roster cannot be read as asked."""

    exit_code = 2


class TooManyRejectedError(InputError):
    """More rows break a rule than the run allows; nothing was stored."""

    exit_code = 3


class MissingError(RegroupError):
    """Something that has to be made first is not there yet."""

    exit_code = 4


class BusyError(RegroupError):
    """Another process holds the lock or the database; the same call may work later."""

    exit_code = 75
