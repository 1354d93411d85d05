"""What can go wrong while a model is trained.

RegroupError (features.errors)
├── ConfigError        the training configuration cannot be used; exit code 2
├── DataGateError      too little or too odd data to train on; nothing was registered; exit code 3
└── QualityGateError   the challenger breaks a floor and there is no champion to keep; exit code 4
"""

from features.errors import RegroupError


class ConfigError(RegroupError):
    """The training configuration cannot be used as it is."""

    exit_code = 2


class DataGateError(RegroupError):
    """There is too little, or too odd, data to train on; nothing was registered."""

    exit_code = 3


class QualityGateError(RegroupError):
    """The challenger breaks a floor and there is no champion to keep; nothing was promoted."""

    exit_code = 4
