"""What a mapping file may say, parsed strictly: a TOML file that says which column of a table is what.

```toml
[file]
format = "csv"            # csv, tsv or parquet; without it, as the file's content tells. What is packed (gzip,
                          # bzip2, xz, a zip archive of one file) is unpacked
sheet = "Answers"         # of a spreadsheet; without it, the visible one with the most cells
encoding = "utf-8"        # or "cp1252", ...; without it, UTF-8, or UTF-16 by its mark
delimiter = ";"           # without it, what the first lines show; lines above the header are skipped
decimal = ","             # of numbers such as 0,5; without it, "."
nulls = ["NA", "NULL"]    # words that mean that nothing is known; without it, only blank cells do
source = "practice-app"   # what the events name as their source: the same response from two files of one source
                          # is one event. Without it, "mapped"

[columns]                 # right of each = stands the file's own column name
student = "user"
time = "submitted"        # or two columns, date and clock: ["day", "clock"]
correct = "points"        # may be missing where kind says that no row is a response
item = "question"         # or several that are the item together, such as ["problem", "step"]; without it, the skill
                          # stands for the item
skills = "standards"      # of this response; where blank, it has those of most responses to its item
attempt = "attempt"       # 1 = first attempt; without it, see [attempt]
hints = "hints"           # how many were asked for
duration_s = "seconds"    # time on this response
event_id = "row_id"       # the log's own id of a response, the same in every file; without it, and without numbers
                          # of attempts on items, equal rows of one file are answers of their own
kind = "type"             # response, lesson, video or login; blank, or without it: response

[time]
form = "iso"              # iso; us (3/5/2026 9:05 AM) or eu (5.3.2026 21:05); a pattern such as "%d-%b-%Y %H:%M";
                          # serial, the days of a spreadsheet; epoch_seconds, epoch_milliseconds, epoch_microseconds;
                          # or order: a number that only gives the order
zone = "Europe/Berlin"    # of times without an offset; without it, UTC
# origin = 2024-09-01T00:00:00Z    what an epoch counts from; without it, 1970

[correct]
form = "score"            # bool (true/false, right/wrong, ...), zero_one, or score (8, 80 % or 4/5)
max_score = 10            # of form score: a score of 10 is 1.0; percents and fractions are shares already
pass_mark = 0.8           # share of max_score from which a response is correct; without it, 1.0
# yes = ["OK"]            # of form bool: further words, such as these
# no = ["BUG", "hint"]

# [attempt]               # of a log without a column of attempts
# form = "counted"        # counted: an answer to an item that the student answered before in the same session, without
                          # a pause of an hour, is a retry; or first: every answer is a first one

[duration]
unit = "s"                # s, ms or min; a cell such as 1:30 is 90 seconds in any of them

[skills]
separator = ","           # between several skills in one cell; without it, a cell is one skill, and a response
                          # with several skills is repeated with each. A Parquet file may hold lists

[kinds]                   # the log's own words for kinds, if it has others
problem = "response"
watch = "video"
```

With `[questions]` a row has many answers, as `features.logs.wide` explains, and with `[totals]` none, as
`features.logs.totals` does. Where no column is a time, `[time] at` says of when all of it is.

The mapping of xAPI statements, Caliper events or a tracking log of Open edX has `[file]` alone, with
`format = "xapi"`, `"caliper"` or `"openedx"`, and maybe
`[prefixes]`: `student_prefix`, `item_prefix` and `skill_prefix` are removed from the start of addresses.

Only `student`, `time`, `correct`, and `item` or `skills` have to be there. Blank cells are null; ids are kept as
written, but for white space around them. A number of attempts or hints, or a duration, that cannot be read is null, and
its answer is kept.
"""

import dataclasses
import tomllib
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from features.errors import USER_PATH, InputError, explain_os_error
from features.logs.sections import (
    STANDARDS,
    Attempt,
    Columns,
    Correct,
    Duration,
    File,
    Prefixes,
    Question,
    Skills,
    Time,
    Totals,
    choose,
)
from features.schema import KINDS

Section = TypeVar("Section", bound=File | Columns | Time | Correct | Attempt | Duration | Skills | Prefixes | Totals)

TYPE_WORDS: dict[type, str] = {tuple: "list of str"}

OF_ANSWERS = ("correct", "item", "skills", "hints", "duration_s", "kind")
"""Columns that are of one answer, not of a row with many."""

OF_TOTALS = ("student", "time", "skills", "event_id")
"""Columns that a table of totals may have."""

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
    questions: tuple[Question, ...] = ()
    totals: Totals | None = None
    levels: tuple[tuple[str, float], ...] = ()
    domains: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuses rows that would say nothing about when, or about what was practiced."""
        if (self.columns.time is None) == (self.time.at is None):
            raise InputError(
                "[columns] lacks time; only a file of one moment, which [time] at says, may and must lack it"
            )
        if self.totals is not None:
            _check_totals(self)
        elif self.questions:
            named = [name for name in OF_ANSWERS if getattr(self.columns, name) is not None]
            if named:
                raise InputError(
                    f"[columns] {named[0]} is of one answer, but with [questions] a row has many; leave one of them out"
                )
        elif self.levels or self.domains:
            raise InputError("[levels] and [domains] are of [totals], which is missing")
        elif self.columns.correct is None and self.columns.kind is None:
            raise InputError("[columns] lacks correct; only a log with kind, which says what a row is, may lack it")
        elif self.columns.item is None and self.columns.skills is None:
            raise InputError("[columns] names neither item nor skills; right would be at least one of them")

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
        choose(f"[kinds] {word}", kind, KINDS)
    return Mapping(
        columns=_parse_section(Columns, "columns", tables["columns"]),
        file=file,
        time=_parse_section(Time, "time", tables.get("time", {})),
        correct=_parse_section(Correct, "correct", tables.get("correct", {})),
        attempt=_parse_section(Attempt, "attempt", tables.get("attempt", {})),
        duration=_parse_section(Duration, "duration", tables.get("duration", {})),
        skills=_parse_section(Skills, "skills", tables.get("skills", {})),
        kinds=tuple(kinds.items()),
        questions=tuple(_parse_question(*line) for line in _parse_lines("questions", tables, (str, dict))),
        totals=_parse_section(Totals, "totals", tables["totals"]) if "totals" in tables else None,
        levels=tuple((word, float(share)) for word, share in _parse_lines("levels", tables, (int, float))),
        domains=tuple(_parse_lines("domains", tables, (str,))),
    )


def _parse_lines(name: str, tables: dict[str, Any], types: tuple[type, ...]) -> list[tuple[str, Any]]:
    """The lines of a table whose keys are the file's own words."""
    table = tables.get(name, {})
    if not isinstance(table, dict):
        raise InputError(f"{name} = {table!r}; right would be a table [{name}]")
    for key, value in table.items():
        if isinstance(value, bool) or not isinstance(value, types):
            words = " or ".join("table" if kind is dict else kind.__name__ for kind in types)
            raise InputError(f'[{name}] "{key}" = {value!r}; right would be a {words}')
    return list(table.items())


def _parse_question(column: str, said: str | dict[str, Any]) -> Question:
    """A question: its skill, or a table of what is said of it; an empty skill is none."""
    table = {"skill": said} if isinstance(said, str) else said
    _refuse_unknown(f'key in [questions] "{column}"', table, ["skill", "max_score"])
    skill, max_score = table.get("skill", ""), table.get("max_score")
    if not isinstance(skill, str) or isinstance(max_score, bool) or not isinstance(max_score, int | float | None):
        right = '{ skill = "4.NF.B.3", max_score = 2 }'
        raise InputError(f'[questions] "{column}" = {said!r}; right would be such as {right}')
    return Question(column, skill.strip() or None, max_score)


def _check_totals(mapping: "Mapping") -> None:
    """Refuses totals that say nothing about a skill, or say it twice."""
    totals, columns = mapping.totals, mapping.columns
    named = [name for name, column in vars(columns).items() if column is not None and name not in OF_TOTALS]
    if named or mapping.questions:
        what = f"[columns] {named[0]}" if named else "[questions]"
        raise InputError(f"{what} is of answers, but [totals] says that the file has none; leave one of them out")
    if bool(mapping.domains) == (totals is not None and totals.column is not None):
        raise InputError("[totals] needs either column, with [columns] skills beside it, or a table [domains]")
    if bool(mapping.domains) == (columns.skills is not None):
        raise InputError("[columns] skills is needed where [totals] column is one figure, and only there")
    if totals is not None and totals.form == "level" and not mapping.levels:
        raise InputError('[totals] form = "level" needs a table [levels], such as "On Grade Level" = 0.75')
    for word, share in mapping.levels:
        if not 0 <= share <= 1:
            raise InputError(f'[levels] "{word}" = {share}; right would be from 0 to 1')


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
