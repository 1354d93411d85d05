"""The sections of a mapping file, each with what it refuses; `features.logs.mapping` explains them with an example."""

import codecs
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from zoneinfo import ZoneInfo, available_timezones

from features.errors import InputError

TIME_FORMS = ("iso", "us", "eu", "serial", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds", "order")

UNDECIDED = "us or eu"
"""What a mapping to begin with says where no date tells the month from the day."""

SECONDS = {"s": 1.0, "ms": 0.001, "min": 60.0}
"""Seconds in each unit of a duration."""

TOTALS_FORMS = ("percent", "level", "scale")

STANDARDS = ("xapi", "caliper", "openedx")
"""Formats whose columns need no words."""


@dataclass(frozen=True)
class File:
    """`[file]`: how the file is written; null means as its ending and its first lines tell."""

    format: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    source: str = "mapped"
    quiz: str | None = None
    nulls: tuple[str, ...] = ()
    decimal: str = "."

    def __post_init__(self) -> None:
        """Refuses what no file can be."""
        choose("[file] format", self.format, (None, "csv", "tsv", "parquet", *STANDARDS))
        choose("[file] decimal", self.decimal, (".", ","))
        if self.delimiter is not None and len(self.delimiter.encode()) != 1:
            raise InputError(f'[file] delimiter = "{self.delimiter}"; right would be one character, such as ";"')
        try:
            codecs.lookup(self.encoding or "utf-8")
        except LookupError:
            raise InputError(f'[file] encoding = "{self.encoding}"; right would be utf-8, latin-1, ...') from None


@dataclass(frozen=True)
class Columns:
    """`[columns]`: the file's own name for each column, several for one where a list; null where the file has none."""

    student: str
    time: str | tuple[str, ...] | None = None
    correct: str | None = None
    item: str | tuple[str, ...] | None = None
    skills: str | None = None
    attempt: str | None = None
    hints: str | None = None
    duration_s: str | None = None
    event_id: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Time:
    """`[time]`: how a moment is written; without a zone, times without an offset are in UTC.

    Attributes:
        form: How it is written.
        origin: What an epoch counts from.
        zone: Time zone of times without an offset.
        at: The moment of every row of a file whose rows name none.
    """

    form: str = "iso"
    origin: datetime | None = None
    zone: str | None = None
    at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuses zones and origins that say nothing."""
        if self.form == UNDECIDED:
            raise InputError(f'[time] form = "{UNDECIDED}"; right would be "us" for 3/31/2026 or "eu" for 31/3/2026')
        if "%" not in self.form:
            choose("[time] form", self.form, TIME_FORMS)
        if self.zone is not None and self.zone not in available_timezones():
            raise InputError(f'[time] zone = "{self.zone}"; right would be such as "Europe/Berlin"')
        if self.origin is not None and not self.form.startswith("epoch"):
            raise InputError(f'[time] origin needs a form such as "epoch_seconds", not "{self.form}"')

    @property
    def is_number(self) -> bool:
        """Whether a moment is written as a number."""
        return self.form == "serial" or self.form.startswith("epoch")

    @property
    def local(self) -> str:
        """The zone of times without an offset."""
        return self.zone or "UTC"

    @property
    def zero(self) -> datetime:
        """The moment that epochs count from; without an offset it is in `zone`."""
        return self._with_zone(self.origin or datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")))

    @property
    def moment(self) -> datetime | None:
        """The moment of every row, if there is one; without an offset it is in `zone`."""
        return self.at and self._with_zone(self.at)

    def _with_zone(self, moment: datetime) -> datetime:
        return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(self.local))


@dataclass(frozen=True)
class Correct:
    """`[correct]`: how a score is written; `pass_mark` is a share of `max_score`, `yes` and `no` are words."""

    form: str = "zero_one"
    pass_mark: float = 1.0
    max_score: float = 1.0
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuses marks that nobody or everybody reaches."""
        choose("[correct] form", self.form, ("bool", "zero_one", "score"))
        if not 0 < self.pass_mark <= 1:
            raise InputError(f"[correct] pass_mark = {self.pass_mark}; right would be above 0 and at most 1")
        if not 0 < self.max_score < float("inf"):
            raise InputError(f"[correct] max_score = {self.max_score}; right would be above 0")
        if (self.yes or self.no) and self.form != "bool":
            raise InputError(f'[correct] yes and no are words of form "bool", not "{self.form}"')
        if both := set(map(str.lower, self.yes)) & set(map(str.lower, self.no)):
            raise InputError(f"[correct] yes and no both have {min(both)!r}; right would be one of them")


@dataclass(frozen=True)
class Attempt:
    """`[attempt]`: where no column numbers them, whether retries of an item are counted or all answers first ones."""

    form: str = "counted"

    def __post_init__(self) -> None:
        """Refuses words that say nothing."""
        choose("[attempt] form", self.form, ("counted", "first"))


@dataclass(frozen=True)
class Duration:
    """`[duration]`: the unit of `duration_s`; a cell such as 1:30 is a minute and a half in any unit."""

    unit: str = "s"

    def __post_init__(self) -> None:
        """Refuses units that are none."""
        choose("[duration] unit", self.unit, tuple(SECONDS))


@dataclass(frozen=True)
class Skills:
    """`[skills]`: what separates several skills in one cell; null if a cell holds one."""

    separator: str | None = None


@dataclass(frozen=True)
class Prefixes:
    """`[prefixes]`: what is removed from the start of addresses, of students, items and skills, in xAPI and Caliper."""

    student_prefix: str = ""
    item_prefix: str = ""
    skill_prefix: str = ""


@dataclass(frozen=True)
class Question:
    """A line of `[questions]`: one column of a sheet with a row per student.

    Attributes:
        column: Its heading.
        skill: The skill of the question; null where nobody said.
        max_score: The score that is all of it; null where the heading or the cells say it.
    """

    column: str
    skill: str | None = None
    max_score: float | None = None

    def __post_init__(self) -> None:
        """Refuses marks that nobody reaches."""
        if self.max_score is not None and not 0 < self.max_score < float("inf"):
            raise InputError(f'[questions] "{self.column}" max_score = {self.max_score}; right would be above 0')


@dataclass(frozen=True)
class Totals:
    """`[totals]`: figures that sum up a student's work on a skill, without its answers.

    Attributes:
        form: How a figure is written.
        column: The column of the figure, where a row is of one skill; null where `[domains]` names columns.
        questions: The column that says on how many questions it rests.
        error: The column of its standard error, in its own unit.
        max_score: The largest figure of form `percent`.
        proficient: Of form `scale`: the figure of a student who knows half of what is asked.
        spread: Of form `scale`: so far above `proficient` a student knows 73 % of it.
    """

    form: str
    column: str | None = None
    questions: str | None = None
    error: str | None = None
    max_score: float = 100.0
    proficient: float | None = None
    spread: float | None = None

    def __post_init__(self) -> None:
        """Refuses figures that could not be read."""
        choose("[totals] form", self.form, TOTALS_FORMS)
        if not 0 < self.max_score < float("inf"):
            raise InputError(f"[totals] max_score = {self.max_score}; right would be above 0")
        if self.form == "scale" and (self.proficient is None or self.spread is None or not self.spread > 0):
            raise InputError(
                '[totals] form = "scale" needs proficient, the score of a student who is at grade level, and spread, '
                "the points that make a clear difference, such as proficient = 480 and spread = 20"
            )


def choose(what: str, value: object, choices: tuple[str | None, ...]) -> None:
    """Refuses a value that is none of the choices."""
    if value not in choices:
        known = [choice for choice in choices if choice]
        near = get_close_matches(str(value), known, n=1, cutoff=0)[0]
        raise InputError(f'{what} = "{value}"; did you mean "{near}"? (known: {", ".join(known)})')
