"""The choices of a training run, read from TOML; unknown keys are refused."""

import hashlib
import json
import tomllib
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
        min_gain: Log-loss of the struggle forecast by which a challenger must be better than the champion.
        max_mastery_loss: Log-loss by which its mastery forecast may be worse.
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
    max_mastery_loss: float = Field(ge=0)
    max_subgroup_loss: float = Field(ge=0)
    min_subgroup_students: int = Field(ge=1)
    audit_columns: tuple[str, ...]
    max_milliseconds: float = Field(gt=0)
    max_megabytes: float = Field(gt=0)


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


class TrainingConfig(_Section):
    """All choices of one training run."""

    mastery_rule: MasteryRule
    split: Split
    boosting: Boosting
    evidence: Evidence
    evaluation: Evaluation
    gate: Gate
    status: Status

    @property
    def digest(self) -> str:
        """A short hash; two runs with the same one made the same choices."""
        text = json.dumps(self.model_dump(), sort_keys=True)
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
    chosen: dict[str, Any] = tomllib.loads(resources.files("training").joinpath("default.toml").read_text("utf-8"))
    if path is not None:
        try:
            overrides = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise explain_os_error(error, f"the configuration {path} cannot be read", USER_PATH) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"the configuration {path} is not valid TOML: {error}") from error
        for section, values in overrides.items():
            known = chosen.get(section)
            chosen[section] = {**known, **values} if isinstance(known, dict) and isinstance(values, dict) else values
    try:
        return TrainingConfig.model_validate(chosen)
    except ValidationError as error:
        mistakes = "; ".join(f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in error.errors())
        raise ConfigError(f"the configuration {path or 'default.toml'} is wrong: {mistakes}") from error
