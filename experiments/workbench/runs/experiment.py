"""An experiment: a TOML file that says which data, which split, which label rule, which model and which seeds."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from experiments.benchmarks.registry import LOGS
from features.console import read_file
from features.dates import require_school_date
from features.errors import InputError
from features.profiles.columns import FAMILIES
from training.config import MasteryRule, TrainingConfig, lay_over_defaults, say_mistakes

Model = Literal["boosting", "logistic", "rule", "majority"]
"""The trees of the product, or one of the baselines that they are compared with every night."""


def _to_moment(value: object) -> object:
    """A day or a moment as a moment in UTC; anything else is left to be refused."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a moment such as 2026-03-09 or 2026-03-09T06:00") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, datetime):
        require_school_date(value.date())
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return value


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Data(_Section):
    """Which events are read.

    Attributes:
        log: A public log of `REGROUP_DATA`; without it, the event store of `REGROUP_HOME`.
        as_of: Moments in UTC, each a log of its own without the events at or after it; without any, the whole log.
        students: Draws so many students by a hash of the id, for a quick look; without it, all.
    """

    log: str | None = None
    as_of: tuple[Annotated[datetime, BeforeValidator(_to_moment)], ...] = ()
    students: int | None = Field(default=None, ge=10)

    @model_validator(mode="after")
    def _is_known(self) -> "Data":
        if self.log is not None and self.log not in LOGS:
            raise ValueError(
                f"log {self.log!r} is not known; use one of {', '.join(LOGS)}, or none for your own events"
            )
        if len(set(self.as_of)) < len(self.as_of):
            raise ValueError("as_of names a moment twice; name each once")
        return self


class SplitRule(_Section):
    """Who is scored.

    Attributes:
        by: `students`: each fold of students once, by models of the others; `time`: the last stretch of the log as of
            each moment, as every night does, with the shares of `training.split`.
        folds: How many folds of students there are; one calibrates, one is scored, the others train.
        salt: Name of what the ids are hashed with.
    """

    by: Literal["students", "time"] = "students"
    folds: int = Field(default=5, ge=3, le=20)
    salt: str = Field(default="experiments", pattern=r"^[a-z0-9-]{1,40}$")


class Experiment(_Section):
    """All choices of an experiment.

    Attributes:
        name: What it is called in tables; the file's name unless given.
        forecast: What is forecast.
        model: What forecasts it.
        seeds: Each trains the model once more on every fold; baselines have no use for them and take the first.
        data: Which events are read.
        split: Who is scored.
        label: The mastery rule that the model learns by; without it, that of `training`.
        judge: The mastery rule that forecasts are scored by; without it, that of `label`. Experiments that learn by
            different rules can be compared where they are judged by the same.
        features: Families of columns that are switched off (`false`); all others are on.
        training: What the file of `python -m training nightly --config` may say.
    """

    name: str = Field(pattern=r"^[\w .,:+()=-]{1,80}$")
    forecast: Literal["struggle", "mastery"] = "struggle"
    model: Model = "boosting"
    seeds: tuple[int, ...] = Field(default=(1, 2, 3), min_length=1, max_length=50)
    data: Data = Data()
    split: SplitRule = SplitRule()
    judge: MasteryRule
    features: Mapping[str, bool] = Field(default_factory=dict)
    training: TrainingConfig

    @model_validator(mode="after")
    def _fits_together(self) -> "Experiment":
        off = self.switched_off
        if unknown := sorted(set(self.features) - set(FAMILIES)):
            raise ValueError(f"features {', '.join(unknown)} are no family; use {', '.join(FAMILIES)}")
        if set(off) == set(FAMILIES):
            raise ValueError("features: all families are off; leave one on")
        if off and self.model != "boosting":
            raise ValueError(f"features: {self.model} has columns of its own; only boosting can do without some")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds names a seed twice; name each once")
        return self

    @property
    def switched_off(self) -> tuple[str, ...]:
        """Families of columns that the model does without."""
        return tuple(family for family in FAMILIES if not self.features.get(family, True))

    @property
    def runs_of_seeds(self) -> tuple[int, ...]:
        """The seeds that make a difference."""
        return self.seeds if self.model == "boosting" else self.seeds[:1]

    def choices(self) -> dict[str, Any]:
        """All choices as plain values."""
        return self.model_dump(mode="json")


def read_experiment(path: Path, settings: Sequence[str] = ()) -> Experiment:
    """Reads an experiment from a TOML file.

    Args:
        path: The file; what it leaves out has the defaults of `Experiment` and of `training/default.toml`.
        settings: `key=value` with a dotted key, such as `training.boosting.rounds=200`, laid over the file.

    Raises:
        InputError: There is no such file, it is not TOML, names an unknown key or gives a value out of range.
    """
    try:
        chosen = tomllib.loads(read_file(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the experiment {path} is not valid TOML: {error}") from error
    for setting in settings:
        _lay_over(chosen, setting)
    return make_experiment(f"the experiment {path}", **{"name": path.stem, **chosen})


def make_experiment(what: str = "the experiment", /, **chosen: Any) -> Experiment:  # noqa: ANN401 - TOML has any
    """Makes an experiment of choices by section, as they stand in a file.

    Args:
        what: Begins the message where something is wrong.
        chosen: The choices.

    Raises:
        InputError: A key is not known, with the nearest that is, or a value is out of range.

    Example:
        >>> make_experiment(name="first try", seeds=[1], training={"boosting": {"rounds": 50}}).training.boosting.rounds
        50
    """
    label, judge, training = chosen.pop("label", {}), chosen.pop("judge", {}), chosen.get("training", {})
    for section, values in (("label", label), ("judge", judge), ("training", training)):
        if not isinstance(values, Mapping):
            raise InputError(f"{what} is wrong: {section} is {values!r}; it must be a section")
    training = lay_over_defaults(training)
    if isinstance(training["mastery_rule"], Mapping):
        rule = training["mastery_rule"] = {**training["mastery_rule"], **label}
        judge = {**{key: rule[key] for key in MasteryRule.model_fields if key in rule}, **judge}
    try:
        return Experiment.model_validate({**chosen, "training": training, "judge": judge})
    except ValidationError as error:
        raise InputError(f"{what} is wrong: {say_mistakes(error, Experiment, also={'label': MasteryRule})}") from error


def _lay_over(chosen: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    names = [name.strip() for name in key.split(".")]
    if not equals or not all(names):
        raise InputError(f"--set {setting!r} is no key=value; write for example training.boosting.rounds=200")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()  # a word needs no quotation marks
    for name in names[:-1]:
        inner = chosen.setdefault(name, {})
        if not isinstance(inner, dict):
            raise InputError(f"--set {setting!r}: {name} is a value, {inner!r}, and has nothing below it")
        chosen = inner
    chosen[names[-1]] = value
