"""The keys of `policy.toml`, what each takes, and the presets; `features.roster` says what the keys mean."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from features.roster.files import cells
from features.roster.files.cells import nearest, shown
from features.roster.policy import calendar
from features.roster.records import ROLE_MAY_LEAD, SESSION_TYPES, WEEKDAYS, Settings

WEIGHTS = (
    "benefit", "urgent", "coverage", "adult_time_due", "relationships", "repeat_groupmates", "keep_together", "load",
    "share", "group_time_due", "coaching", "wishes",
    "observations",
)  # fmt: skip
"""Terms of the score that a team may weigh."""

MOST_PEOPLE = 1000
LONGEST_CYCLE, LONGEST_WINDOW = 60, 10
"""School days for which a grouping may hold, and within which everybody should have had adult time."""

MOST_A_WEEK = 50
"""Sessions that a coach and a trainee may share in a week."""

SKILL_IDS = ("humanCodingScheme", "identifier", "abbreviatedStatement", "alternativeLabel", "listEnumeration")
"""Fields of a CASE standard that may be the id that events carry; the first one unless people say otherwise."""

Report = Callable[[str, str], None]
"""Takes the path of a key and what is wrong there."""

Leaf = Callable[[object], Any]
"""Makes the value of a key; raises ValueError with what would be right."""


@dataclass(frozen=True)
class Each:
    """A table whose keys are ids or names of a team's own; `of` is what each of them takes."""

    of: "Spec"


@dataclass(frozen=True)
class ListOf:
    """A list of tables."""

    of: "Spec"


Spec = Leaf | Each | ListOf | Mapping[str, Any]


def number(low: float, high: float) -> Leaf:
    """Takes a number in a range."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f"{shown(str(value))} is not right; write a number from {low:g} to {high:g}")
        return float(value)

    return read


def whole(low: int, high: int) -> Leaf:
    """Takes a whole number in a range."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"{shown(str(value))} is not right; write a whole number from {low} to {high}")
        return value

    return read


def read_flag(value: object) -> bool:
    """Takes true or false."""
    if not isinstance(value, bool):
        raise ValueError(f"{shown(str(value))} is not right; write true or false")  # noqa: TRY004 - as all others
    return value


def read_ids(value: object) -> list[str]:
    """Takes a list of ids; the wrong one is not repeated, since it may be a student's."""
    if not isinstance(value, list) or not all(isinstance(part, str) and part for part in value):
        raise ValueError('is not a list of ids; write them in quotes, such as ["a", "b"]')
    return list(dict.fromkeys(cells.parse_id(part) for part in value))


def read_id(value: object) -> str:
    """Takes one id."""
    if not isinstance(value, str) or not value:
        raise ValueError("is not an id; write one in quotes")
    return cells.parse_id(value)


def read_text(value: object) -> str:
    """Takes text that is not blank."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError('is not text; write some in quotes, such as "North Middle"')
    return cells.parse_text(value)


def one_word_of(*allowed: str) -> Leaf:
    """Takes one of these words."""

    def read(value: object) -> str:
        if value not in allowed:
            raise ValueError(f"{shown(str(value))} is not known; use one of {', '.join(allowed)}")
        return str(value)

    return read


def several_words_of(*allowed: str) -> Leaf:
    """Takes a list of these words."""

    def read(value: object) -> list[str]:
        if not isinstance(value, list) or not value or not all(part in allowed for part in value):
            raise ValueError(f"{shown(str(value))} is not right; write a list of {', '.join(allowed)}")
        return list(dict.fromkeys(value))

    return read


def read_clock(value: object) -> str:
    """Takes a wall-clock time as text or as TOML's own."""
    clock = cells.parse_clock(value if isinstance(value, str) else str(value)[: cells.CLOCK])
    return clock.strftime("%H:%M")


def read_no_school(value: object) -> list[str]:
    """Takes a list of days, and of texts such as `2026-12-21 to 2027-01-01`."""
    if not isinstance(value, list):
        raise ValueError('is not a list of days; write ["2026-11-26", "2026-12-21 to 2027-01-01"]')  # noqa: TRY004 - as others
    texts = [str(part) for part in value]
    for text in texts:
        calendar.read_closed(text)
    return texts


def read_rhythm(value: object) -> str | int:
    """Takes a word, or the school days for which a grouping holds."""
    if value in ("daily", "weekly"):
        return str(value)
    if isinstance(value, str):
        raise ValueError(f"{shown(value)} is not right; write 'daily', 'weekly' or a number of school days")  # noqa: TRY004 - as all others
    return int(whole(1, LONGEST_CYCLE)(value))


def read_preset(value: object) -> str:
    """Takes the name of a preset."""
    if not isinstance(value, str) or value not in load_presets():
        meant = nearest(str(value), load_presets())
        hint = f"did you mean {shown(meant)}?" if meant else f"use one of {', '.join(load_presets())}"
        raise ValueError(f"{shown(str(value))} is not a preset; {hint}")
    return value


PEOPLE = whole(1, MOST_PEOPLE)

OF_LISTS: Mapping[str, Spec] = {
    "school": read_text,
    "name": read_text,
    "classes": read_ids,
    "staff": Each(
        {
            "role": one_word_of(*ROLE_MAY_LEAD),
            "may_lead": several_words_of(*SESSION_TYPES),
            "skills": read_ids,
            "max_group": PEOPLE,
            "certified": read_flag,
            "coach": read_id,
            "without_class": read_flag,
        }
    ),
    "bells": Each({"days": several_words_of(*WEEKDAYS), "start": read_clock, "end": read_clock}),
    "student_id": one_word_of("sourcedId", "identifier", "username", "email", "userMasterIdentifier"),
    "end_date": one_word_of("exclusive", "inclusive"),
}
"""What each key takes that says of a roster of another system what a folder has files for."""

KEYS: Mapping[str, Spec] = {
    "preset": read_preset,
    "weights": dict.fromkeys(WEIGHTS, number(0, 100)),
    "sizes": {
        kind: {"least": PEOPLE, "most": PEOPLE, "tables": whole(1, 50), "support": read_flag}
        for kind in SESSION_TYPES
        if kind != "online"
    },
    "most_by_role": Each(PEOPLE),
    "students_per_monitor": PEOPLE,
    "most_social_cost": number(0, 1),
    "explore_within": number(0, 0.1),
    "crowding": {"full": PEOPLE, "loss": number(0, 10)},
    "adult_time_days": whole(1, LONGEST_WINDOW),
    "group_time_days": whole(1, LONGEST_WINDOW),
    "trainees_supervised": read_flag,
    "coaching_per_week": whole(0, MOST_A_WEEK),
    "observations_per_week": whole(0, MOST_A_WEEK),
    "regroup": read_rhythm,
    "rooms": Each({"sessions": whole(1, 50)}),
    "blocks": Each({"skills": read_ids, "subjects": read_ids}),
    "needs_certified": read_ids,
    "adult_exclusions": ListOf({"staff_id": read_id, "students": read_ids}),
}
"""What each key takes that a request may choose too."""

FILE_KEYS: Mapping[str, Spec] = {
    **KEYS,
    "rooms": Each({"sessions": whole(1, 50), "capacity": PEOPLE}),
    "no_school": read_no_school,
    "leader_signs": read_flag,
    "sources": Each(read_text),
    "skill_id": one_word_of(*SKILL_IDS),
    **OF_LISTS,
}
"""What each key of `policy.toml` takes."""

OF_ONE_TEAM = ("blocks", "needs_certified", "adult_exclusions", "school", "name", "classes", "staff")
"""Keys that name classes, blocks or people, whom teams do not share; so do `rooms` other than `*`."""

OF_ALL_TEAMS = ("student_id", "end_date", "sources", "skill_id")
"""Keys that say how a roster is read, before there are teams."""


@cache
def load_presets() -> Mapping[str, Settings]:
    """The settings of each preset, read once."""
    text = resources.files("features.roster.policy").joinpath("presets.toml").read_text("utf-8")
    presets: Mapping[str, Settings] = tomllib.loads(text)
    return presets


def read_settings(value: object, report: Report, spec: Spec = FILE_KEYS, path: str = "") -> Any:  # noqa: ANN401 - as the key says
    """The value of a key with everything below it, without what is wrong.

    Args:
        value: As TOML gives it.
        report: Called for everything that is wrong.
        spec: What the key takes.
        path: The key, with dots; empty for a team's whole table.
    """
    if isinstance(spec, Mapping | Each):
        if not isinstance(value, dict):
            report(path, "is not a table; write its keys below it, such as key = value")
            return {}
        return _read_table(value, report, spec, path)
    if isinstance(spec, ListOf):
        if not isinstance(value, list):
            report(path, f"is not a list of tables; write each below [[…{path}]]")
            return []
        return [read_settings(part, report, spec.of, f"{path}[{at}]") for at, part in enumerate(value)]
    try:
        return spec(value)
    except ValueError as error:
        report(path, str(error))
        return None


def _read_table(table: dict[str, object], report: Report, spec: Mapping[str, Any] | Each, path: str) -> Settings:
    found = {}
    for key, value in table.items():
        at = f"{path}.{key}" if path else key
        if isinstance(spec, Each):
            found[key] = read_settings(value, report, spec.of, at)
        elif key in spec:
            found[key] = read_settings(value, report, spec[key], at)
        else:
            meant = nearest(key, spec)
            report(at, "is not known; " + (f"did you mean {meant}?" if meant else f"the keys are {', '.join(spec)}"))
    least, most = found.get("least"), found.get("most")
    if least is not None and most is not None and most < least:
        report(f"{path}.most", f"{most} is below least; write {least} or more")
    return found
