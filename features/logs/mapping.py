"""What a mapping file may say, parsed strictly; `features.logs.mapped` explains it with an example."""

import codecs
import dataclasses
import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo, available_timezones

from features.errors import USER_PATH, InputError, explain_os_error
from features.schema import KINDS

Section = TypeVar("Section", bound="File | Columns | Time | Correct | Attempt | Duration | Skills | Prefixes")

TIME_FORMS = ("iso", "us", "eu", "serial", "epoch_seconds", "epoch_milliseconds", "epoch_microseconds", "order")

UNDECIDED = "us or eu"
"""What a mapping to begin with says where no date tells the month from the day."""

SECONDS = {"s": 1.0, "ms": 0.001, "min": 60.0}
"""Seconds in each unit of a duration."""

STANDARDS = ("xapi", "caliper", "openedx")
"""Formats whose columns need no words."""

TYPE_WORDS: dict[type, str] = {tuple: "list of str"}


@dataclass(frozen=True)
class File:
    """`[file]`: how the file is written; null means as its ending and its first lines tell."""

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    source: str = "mapped"
    nulls: tuple[str, ...] = ()
    decimal: str = "."

    def __post_init__(self) -> None:
        """Refuses what no file can be."""
        _choose("[file] format", self.format, (None, "csv", "tsv", "parquet", *STANDARDS))
        _choose("[file] decimal", self.decimal, (".", ","))
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
    time: str | tuple[str, ...]
    correct: str | None = None
    item: str | tuple[str, ...] | None = None
    skills: str | None = None
    attempt: str | None = None
    hints: str | None = None
    duration_s: str | None = None
    event_id: str | None = None
    kind: str | None = None

    def __post_init__(self) -> None:
        """Refuses rows that would say nothing about what was practiced."""
        if self.correct is None and self.kind is None:
            raise InputError("[columns] lacks correct; only a log with kind, which says what a row is, may lack it")
        if self.item is None and self.skills is None:
            raise InputError("[columns] names neither item nor skills; right would be at least one of them")


@dataclass(frozen=True)
class Time:
    """`[time]`: how a moment is written; without a zone, times without an offset are in UTC."""

    form: str = "iso"
    origin: datetime | None = None
    zone: str | None = None

    def __post_init__(self) -> None:
        """Refuses zones and origins that say nothing."""
        if self.form == UNDECIDED:
            raise InputError(f'[time] form = "{UNDECIDED}"; right would be "us" for 3/31/2026 or "eu" for 31/3/2026')
        if "%" not in self.form:
            _choose("[time] form", self.form, TIME_FORMS)
        if self.zone is not None and self.zone not in available_timezones():
            raise InputError(f'[time] zone = "{self.zone}"; right would be such as "Europe/Berlin"')
        if self.origin is not None and not self.form.startswith("epoch"):
            raise InputError(f'[time] origin needs a form such as "epoch_seconds", not "{self.form}"')

    @property
    def local(self) -> str:
        """The zone of times without an offset."""
        return self.zone or "UTC"

    @property
    def zero(self) -> datetime:
        """The moment that epochs count from; without an offset it is in `zone`."""
        origin = self.origin or datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
        return origin if origin.tzinfo else origin.replace(tzinfo=ZoneInfo(self.local))


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
        _choose("[correct] form", self.form, ("bool", "zero_one", "score"))
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
        _choose("[attempt] form", self.form, ("counted", "first"))


@dataclass(frozen=True)
class Duration:
    """`[duration]`: the unit of `duration_s`; a cell such as 1:30 is a minute and a half in any unit."""

    unit: str = "s"

    def __post_init__(self) -> None:
        """Refuses units that are none."""
        _choose("[duration] unit", self.unit, tuple(SECONDS))


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


NO_COLUMNS = Columns("actor", "timestamp", "result", "object")
"""Of documents, whose fields a standard names."""


@dataclass(frozen=True)
class Mapping:
    """A whole mapping file; `kinds` turns the log's own words into kinds of event."""

    columns: Columns
    file: File = field(default_factory=File)
    time: Time = field(default_factory=Time)
    correct: Correct = field(default_factory=Correct)
    attempt: Attempt = field(default_factory=Attempt)
    duration: Duration = field(default_factory=Duration)
    skills: Skills = field(default_factory=Skills)
    prefixes: Prefixes = field(default_factory=Prefixes)
    kinds: tuple[tuple[str, str], ...] = tuple((kind, kind) for kind in KINDS)

    @property
    def is_standard(self) -> bool:
        """Whether the file holds documents of a standard, not a table."""
        return self.file.format in STANDARDS


def read_mapping(path: Path) -> Mapping:
    """The mapping in a TOML file.

    Raises:
        InputError: The file is not TOML, or says something that this module does not know.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise explain_os_error(error, f"the mapping {path} cannot be read", USER_PATH) from None
    except ValueError as error:
        raise InputError(f"the mapping {path.name} is not TOML: {error}") from None
    return parse_mapping(tables)


def parse_mapping(tables: dict[str, Any]) -> Mapping:
    """The mapping that these tables say.

    Raises:
        InputError: A table or key is unknown, missing, or has the wrong type or value.

    Example:
        >>> parse_mapping({"columns": {"student": "s", "time": "t", "correct": "c", "item": "i"}}).columns.item
        'i'
    """
    _refuse_unknown("table", tables, [section.name for section in dataclasses.fields(Mapping)])
    file = _parse_section(File, "file", tables.get("file", {}))
    if file.format in STANDARDS:
        extra = sorted(set(tables) - {"file", "prefixes"})
        if extra:
            raise InputError(
                f'[{extra[0]}] is not for [file] format = "{file.format}"; right would be [prefixes] alone'
            )
        return Mapping(NO_COLUMNS, file, prefixes=_parse_section(Prefixes, "prefixes", tables.get("prefixes", {})))
    if "prefixes" in tables:
        raise InputError('[prefixes] is for [file] format = "xapi", "caliper" or "openedx" only')
    if "columns" not in tables:
        raise InputError("the mapping has no table [columns]; right would be student, time, correct and item")
    if "attempt" in tables and "attempt" in tables["columns"]:
        raise InputError("[attempt] is for a log without a column of attempts, but [columns] names one; leave one out")
    kinds = tables.get("kinds", dict(Mapping.kinds))
    if not isinstance(kinds, dict):
        raise InputError(f"kinds = {kinds!r}; right would be a table [kinds]")
    for word, kind in kinds.items():
        _choose(f"[kinds] {word}", kind, KINDS)
    return Mapping(
        columns=_parse_section(Columns, "columns", tables["columns"]),
        file=file,
        time=_parse_section(Time, "time", tables.get("time", {})),
        correct=_parse_section(Correct, "correct", tables.get("correct", {})),
        attempt=_parse_section(Attempt, "attempt", tables.get("attempt", {})),
        duration=_parse_section(Duration, "duration", tables.get("duration", {})),
        skills=_parse_section(Skills, "skills", tables.get("skills", {})),
        kinds=tuple(kinds.items()),
    )


def _parse_section(kind: type[Section], name: str, table: object) -> Section:
    if not isinstance(table, dict):
        raise InputError(f"{name} = {table!r}; right would be a table [{name}]")
    hints = get_type_hints(kind)
    _refuse_unknown(f"key in [{name}]", table, list(hints))
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    for key, value in values.items():
        types = _list_types(hints[key])
        allowed = (*types, int) if float in types else types
        wrong = isinstance(value, tuple) and not (value and all(isinstance(each, str) and each for each in value))
        if isinstance(value, bool) or not isinstance(value, allowed) or value == "" or wrong:
            words = " or ".join(TYPE_WORDS.get(option, option.__name__) for option in types if option is not NoneType)
            shown = list(value) if isinstance(value, tuple) else value
            raise InputError(f"[{name}] {key} = {shown!r}; right would be a {words}")
    needed = [entry.name for entry in dataclasses.fields(kind) if entry.default is dataclasses.MISSING]
    missing = [key for key in needed if key not in table]
    if missing:
        raise InputError(f"[{name}] lacks {', '.join(missing)}")
    return kind(**values)


def _list_types(hint: Any) -> tuple[type, ...]:  # noqa: ANN401 - a type, or a union of types
    """Returns the types that a value may have; a tuple of anything is a tuple."""
    options = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    return tuple(get_origin(option) or option for option in options)


def _refuse_unknown(what: str, table: dict[str, Any], known: list[str]) -> None:
    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1, cutoff=0)[0]
            raise InputError(f'unknown {what}: "{key}"; did you mean "{near}"? (known: {", ".join(known)})')


def _choose(what: str, value: object, choices: tuple[str | None, ...]) -> None:
    if value not in choices:
        known = [choice for choice in choices if choice]
        near = get_close_matches(str(value), known, n=1, cutoff=0)[0]
        raise InputError(f'{what} = "{value}"; did you mean "{near}"? (known: {", ".join(known)})')
