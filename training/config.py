"""The choices of a training run, read from TOML; unknown keys are refused."""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from features.errors import USER_PATH, explain_os_error
from training.errors import ConfigError


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class MasteryRule(_Section):
    """When a student counts as having mastered a skill, and when as struggling with it."""

    streak: int = Field(ge=1, le=20)
    horizon: int = Field(ge=1, le=100)
    lapse_days: float = Field(gt=0)

    @model_validator(mode="after")
    def _streak_fits(self) -> "MasteryRule":
        if self.streak > self.horizon:
            raise ValueError(f"streak {self.streak} can never be met within horizon {self.horizon}")
        return self


class Split(_Section):
    """Blocks of time, in shares of the log's responses, with a gap in days."""

    train_share: float = Field(gt=0, lt=1)
    calibration_share: float = Field(gt=0, lt=1)
    gap_days: float = Field(ge=0)
    folds: int = Field(ge=2, le=20)

    @model_validator(mode="after")
    def _leaves_a_holdout(self) -> "Split":
        if self.train_share + self.calibration_share >= 1:
            raise ValueError("train_share + calibration_share must leave a holdout: make their sum less than 1")
        return self


class Boosting(_Section):
    """LightGBM's parameters under plain names."""

    rounds: int = Field(ge=1)
    patience: int = Field(ge=1)
    learning_rate: float = Field(gt=0, le=1)
    leaves: int = Field(ge=2)
    min_rows_per_leaf: int = Field(ge=1)
    row_share: float = Field(gt=0, le=1)
    column_share: float = Field(gt=0, le=1)
    l2: float = Field(ge=0)
    max_rows: int = Field(ge=1000)
    threads: int = Field(ge=1)
    seed: int


class Evidence(_Section):
    """How much must be known of a student before the service forecasts."""

    min_opportunities: int = Field(ge=0)
    min_responses: int = Field(ge=0)


class Evaluation(_Section):
    """How a model is evaluated."""

    bootstrap: int = Field(ge=20)
    places_share: float = Field(gt=0, lt=1)
    rule_wrong_in_a_row: int = Field(ge=1)


class Gate(_Section):
    """Limits that a model must be within to be promoted.

    Attributes:
        min_gain: Log-loss by which one forecast of a challenger must be better than the champion's.
        max_loss: Log-loss by which the other one may be worse.
        max_subgroup_loss: Log-loss by which it may be worse in one audit group, beyond what chance makes.
        min_subgroup_students: Audit groups with so many students that were learned from must be on the holdout.
        audit_columns: Audit columns that the roster must have.
        max_milliseconds: For a forecast of a thousand rows.
        max_megabytes: Of the files of both models.
    """

    max_ece: float = Field(gt=0, le=1)
    min_students: int = Field(ge=1)
    min_episodes: int = Field(ge=1)
    min_later_episodes: int = Field(ge=1)
    max_subgroup_ece: float = Field(gt=0, le=1)
    min_subgroup_rows: int = Field(ge=1)
    max_cell_gap: float = Field(gt=0, le=1)
    min_cell_rows: int = Field(ge=1)
    min_gain: float = Field(ge=0)
    max_loss: float = Field(ge=0)
    max_subgroup_loss: float = Field(ge=0)
    min_subgroup_students: int = Field(ge=1)
    audit_columns: tuple[str, ...]
    max_milliseconds: float = Field(gt=0)
    max_megabytes: float = Field(gt=0)


class Retention(_Section):
    """What the step `prune` leaves of what nights make; an alias's models and profiles it never touches.

    Attributes:
        promotions: The last so many runs that became champion keep their models.
        models_days: How long models of other runs are kept.
        runs_days: How long those runs are kept, and pages of nights with their pictures.
        plan_profiles_days: How long models and profiles are kept that a stored plan names, counted from when it was
            made.
        records_days: How long records in `decisions` are kept as text, and runs that were champion, without models.
        inbox_days: How long log files that were read are kept.
        refused_days: How long refused ones are kept, and rejected rows.
        grace_hours: How long profiles and files of the event log stay that were replaced, for whoever is reading them.
    """

    promotions: int = Field(ge=1)
    models_days: int = Field(ge=1)
    runs_days: int = Field(ge=1)
    plan_profiles_days: int = Field(ge=1)
    records_days: int = Field(ge=1)
    inbox_days: int = Field(ge=1)
    refused_days: int = Field(ge=1)
    grace_hours: int = Field(ge=0)


class Status(_Section):
    """When the service says that a skill is proficient, not yet proficient or due for review, and doubts a forecast.

    Attributes:
        recent_wrong: Of the last five answers, so many wrong take proficiency away, or say that it is not near.
        review_mastery: A forecast of the next answer below this takes it away too, once a run of right answers broke.
        low_risk: A struggle risk below this beside nothing but wrong answers needs a reason that explains it.
        high_risk: So does one above this beside nothing but right answers.
    """

    recent_wrong: int = Field(ge=1, le=5)
    review_mastery: float = Field(ge=0, le=1)
    low_risk: float = Field(ge=0, le=1)
    high_risk: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _low_is_below_high(self) -> "Status":
        if self.low_risk > self.high_risk:
            raise ValueError(f"low_risk {self.low_risk} must not be above high_risk {self.high_risk}")
        return self


class Checks(_Section):
    """When a check of a night speaks; `training/default.toml` says what each limit is of."""

    min_students: int = Field(ge=1)
    min_activity: float = Field(ge=0, le=1)
    min_nights: int = Field(ge=3)
    nights: int = Field(ge=3)
    false_alarms: float = Field(gt=0, lt=1)
    max_roster_loss: float = Field(gt=0, le=1)
    max_drift: float = Field(gt=0)
    max_volume: float = Field(gt=0)
    max_late: float = Field(gt=0)
    max_clock_hours: float = Field(gt=0, le=12)
    max_duplicates: float = Field(gt=0, le=1)
    max_unfilled: float = Field(gt=0, le=1)
    max_unknown: float = Field(gt=0, le=1)
    max_future: float = Field(gt=0, le=1)
    max_base_rate: float = Field(gt=0, le=1)
    max_forecast: float = Field(gt=0)
    max_champion_loss: float = Field(gt=0)
    max_champion_auc: float = Field(gt=0, le=1)


class TrainingConfig(_Section):
    """All choices of one training run."""

    mastery_rule: MasteryRule
    split: Split
    boosting: Boosting
    evidence: Evidence
    evaluation: Evaluation
    gate: Gate
    status: Status
    checks: Checks
    retention: Retention

    @property
    def digest(self) -> str:
        """A short hash; two runs with the same one made the same choices."""
        text = json.dumps(self.model_dump(exclude={"retention"}), sort_keys=True)  # what is kept is no such choice
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def load_config(path: Path | None = None) -> TrainingConfig:
    """Reads the default choices, with those of a TOML file laid over them.

    Raises:
        InputError: The file is missing or may not be read.
        ConfigError: It is not TOML, names an unknown key or gives a value out of range.

    Example:
        >>> load_config().mastery_rule.streak
        3
    """
    overrides: dict[str, Any] = {}
    if path is not None:
        try:
            overrides = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise explain_os_error(error, f"the configuration {path} cannot be read", USER_PATH) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"the configuration {path} is not valid TOML: {error}") from error
    try:
        return TrainingConfig.model_validate(lay_over_defaults(overrides))
    except ValidationError as error:
        mistakes = say_mistakes(error, TrainingConfig)
        raise ConfigError(f"the configuration {path or 'default.toml'} is wrong: {mistakes}") from error


def lay_over_defaults(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The sections of `default.toml` with some choices in the place of theirs; nothing is checked."""
    chosen: dict[str, Any] = tomllib.loads(resources.files("training").joinpath("default.toml").read_text("utf-8"))
    for section, values in overrides.items():
        known = chosen.get(section)
        chosen[section] = {**known, **values} if isinstance(known, dict) and isinstance(values, dict) else values
    return chosen


def say_mistakes(
    error: ValidationError, model: type[BaseModel], also: Mapping[str, type[BaseModel]] | None = None
) -> str:
    """Says what is wrong with choices, and for a key that is not known, which it may have been.

    Args:
        error: What pydantic found.
        model: What the choices should have been.
        also: Sections that may stand beside its own.
    """
    keys = list_keys(model)
    for section, below in (also or {}).items():
        keys += [section, *(f"{section}.{key}" for key in list_keys(below))]
    sentences = []
    for mistake in error.errors():
        key, message = ".".join(map(str, mistake["loc"])), mistake["msg"].removeprefix("Value error, ")
        if mistake["type"] == "extra_forbidden":
            message = f"there is no such key{_guess(key, keys)}"
        elif mistake["type"] != "value_error" and isinstance(value := mistake["input"], str | int | float):
            message = f"{message}, not {value!r}"
        sentences.append(f"{key}: {message}" if key else message)
    return "; ".join(sentences)


def list_keys(model: type[BaseModel]) -> list[str]:
    """The dotted names of all fields, those of sections among them."""
    keys = []
    for name, field in model.model_fields.items():
        keys.append(name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys += [f"{name}.{key}" for key in list_keys(field.annotation)]
    return keys


def _guess(key: str, keys: Sequence[str]) -> str:
    """The key that may have been meant: one in the same section, one of the same name, or one spelled alike."""
    section, _, name = key.rpartition(".")
    inside = [known for known in keys if known.rpartition(".")[0] == section]
    alike = get_close_matches(key, inside, n=1, cutoff=0.75)
    elsewhere = [known for known in keys if known.rpartition(".")[2] == name]
    last = {known.rpartition(".")[2]: known for known in keys}
    nearly = [last[found] for found in get_close_matches(name, list(last), n=1, cutoff=0.75)]
    found = [*alike, *elsewhere, *nearly][:1]
    return f"; did you mean {found[0]}?" if found else f"; known are {', '.join(inside)}"
