"""What can go wrong while a model is trained.

RegroupError (features.errors)
├── InputError (features.errors)
│   └── ConfigError     2  the training configuration cannot be used
├── BrokenTrainingError 1  the training broke off; the champion has profiles of today
├── RosterGateError     5  the roster has lost too many students since the night before; nothing was registered
├── DataGateError       3  too little data to train on, or data that cannot be split; nothing was registered
└── QualityGateError    4  the challenger is above a limit and there is no champion to keep
"""

from features.errors import InputError, RegroupError


class ConfigError(InputError):
    """The training configuration cannot be used as it is."""


class BrokenTrainingError(RegroupError):
    """The training broke off, by a mistake in the code or for want of memory; nothing was registered."""


class DataGateError(RegroupError):
    """There is too little data to train on, or data that cannot be split; nothing was registered."""

    exit_code = 3


class RosterGateError(RegroupError):
    """The roster has lost too many students since the night before; nothing was registered."""

    exit_code = 5


class QualityGateError(RegroupError):
    """The challenger is above a limit and there is no champion to keep; nothing was promoted."""

    exit_code = 4
