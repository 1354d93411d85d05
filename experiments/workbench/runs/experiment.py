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
from training.config import Boosting, MasteryRule, TrainingConfig, lay_over_defaults, say_mistakes

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
        reserved: Share of the students who are in no fold, so that nothing learns from them and nothing is chosen by
            them; a search scores its best on them once.
    """

    by: Literal["students", "time"] = "students"
    folds: int = Field(default=5, ge=3, le=20)
    salt: str = Field(default="experiments", pattern=r"^[a-z0-9-]{1,40}$")
    reserved: float = Field(default=0.0, ge=0, le=0.5)


class Range(_Section):
    """Numbers from `low` to `high`, whole ones where both are; with `log`, each order of magnitude as often."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _rises(self) -> "Range":
        if self.low >= self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low is {self.low}; with log it must be above 0")
        return self


class Search(_Section):
    """What `python -m experiments search` tries; a run reads none of it.

    Attributes:
        space: Values by dotted key of `label` or `training.boosting`, which is what the night can take over.
        trials: How many values of the whole space are tried.
        seed: The same one tries the same.
    """

    space: Mapping[str, Range | tuple[int | float, ...]] = Field(min_length=1)
    trials: int = Field(default=30, ge=1, le=10_000)
    seed: int = Field(default=1, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _can_be_searched(self) -> "Search":
        known = [f"label.{name}" for name in MasteryRule.model_fields]
        known += [f"training.boosting.{name}" for name in Boosting.model_fields if name not in {"seed", "threads"}]
        for key, values in self.space.items():
            if key not in known:
                raise ValueError(f"search.space: {key} cannot be searched; use {', '.join(known)}")
            if isinstance(values, tuple) and len(set(values)) < 2:  # noqa: PLR2004 - one value is no choice
                raise ValueError(f"search.space: {key} needs two different values or more")
        return self


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
        curve: Shares of the students who train to learn from as well, with the first seed, for the learning curve.
        training: What the file of `python -m training nightly --config` may say.
        search: What a search tries; null for a file that is only run.
    """

    name: str = Field(pattern=r"^[\w .,:+()=-]{1,80}$")
    forecast: Literal["struggle", "mastery"] = "struggle"
    model: Model = "boosting"
    seeds: tuple[int, ...] = Field(default=(1, 2, 3), min_length=1, max_length=50)
    data: Data = Data()
    split: SplitRule = SplitRule()
    judge: MasteryRule
    features: Mapping[str, bool] = Field(default_factory=dict)
    curve: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.1, 0.3)
    training: TrainingConfig
    search: Search | None = None

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
        """All choices of a run as plain values."""
        return self.model_dump(mode="json", exclude={"search"})

    def lay(self, values: Mapping[str, float]) -> "Experiment":
        """The same with other values of what a search tries; it is judged by the same rule.

        Raises:
            ValidationError: A value is out of range.

        Example:
            >>> make_experiment(name="x").lay({"training.boosting.leaves": 7}).training.boosting.leaves
            7
        """
        training = self.training.model_dump()
        for key, value in values.items():
            section, _, name = key.rpartition(".")
            training["mastery_rule" if section == "label" else "boosting"][name] = value
        return self.model_copy(update={"training": TrainingConfig.model_validate(training)})


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
        experiment = Experiment.model_validate({**chosen, "training": training, "judge": judge})
        for key, values in (experiment.search.space if experiment.search else {}).items():
            for value in (values.low, values.high) if isinstance(values, Range) else values:
                experiment.lay({key: value})
    except ValidationError as error:
        raise InputError(f"{what} is wrong: {say_mistakes(error, Experiment, also={'label': MasteryRule})}") from error
    return experiment


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
