"""The roster files and the cells that each column takes; `features.roster` says what the columns mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from features.roster import records
from features.roster.files import cells
from features.roster.people.records import OtherId, PersonName

Value = object
"""The value of a parsed cell: text, ids, a number, a day or a time."""


@dataclass(frozen=True)
class Column:
    """One column of a roster file.

    Attributes:
        parse: Makes the value of a cell; raises ValueError with what would be right. What reads ids, names or texts of
            students never repeats the cell.
        needed: Whether a cell must not be blank; such a column must be there too.
        blank: The value of a blank cell.
    """

    parse: Callable[[str], Value]
    needed: bool = True
    blank: Value = None


@dataclass(frozen=True)
class RosterFile:
    """One roster file: its columns, the record a row becomes, and the fields that no two rows share.

    Attributes:
        name: Without `.csv`; also the field of `Roster`.
        record: Makes the record of a row.
        columns: Columns by header.
        key: Fields that identify a row.
        needed: Whether the file must be there.
        headers: For files of other systems, the headers of each column in small letters; columns that none of them
            names are of no use here and are left out in silence.
    """

    name: str
    record: Callable[..., object]
    columns: dict[str, Column]
    key: tuple[str, ...]
    needed: bool = False
    headers: Mapping[str, tuple[str, ...]] | None = None


ID = Column(cells.parse_id)
MAYBE_ID = Column(cells.parse_id, needed=False)
TEXT = Column(cells.parse_text)
MAYBE_TEXT = Column(lambda text: cells.parse_text(text) or None, needed=False)
COUNT = Column(cells.parse_count)
CLOCK = Column(cells.parse_clock)

FILES = (
    RosterFile(
        "teams", records.TeamName, {"team_id": ID, "school": TEXT, "name": MAYBE_TEXT}, key=("team_id",), needed=True
    ),
    RosterFile(
        "members",
        records.Member,
        {
            "team_id": ID,
            "student_id": ID,
            "from_date": Column(cells.parse_date, needed=False),
            "until": Column(cells.parse_date, needed=False),
        },
        key=("team_id", "student_id"),
        needed=True,
    ),
    RosterFile(
        "staff",
        records.Staff,
        {
            "staff_id": ID,
            "team_id": ID,
            "role": Column(cells.parse_word),
            "may_lead": Column(cells.several_of(*records.SESSION_TYPES), needed=False),
            "skills": Column(cells.parse_ids, needed=False),
            "max_group": Column(cells.parse_count, needed=False),
            "certified": Column(cells.parse_yes, needed=False, blank=False),
            "coach": MAYBE_ID,
        },
        key=("staff_id", "team_id"),
        needed=True,
    ),
    RosterFile("rooms", records.Room, {"room_id": ID, "team_id": ID, "capacity": COUNT}, key=("room_id",), needed=True),
    RosterFile(
        "blocks",
        records.Block,
        {
            "block_id": ID,
            "team_id": ID,
            "weekday": Column(cells.one_of(*records.WEEKDAYS)),
            "start": CLOCK,
            "end": CLOCK,
        },
        key=("block_id",),
        needed=True,
    ),
    RosterFile(
        "rules",
        records.Rule,
        {
            "rule_id": ID,
            "team_id": ID,
            "kind": Column(cells.one_of(*records.RULE_KINDS)),
            "students": Column(cells.parse_ids, needed=False, blank=()),
            "staff_id": MAYBE_ID,
            "block_id": MAYBE_ID,
            "skill_id": MAYBE_ID,
        },
        key=("rule_id",),
    ),
    RosterFile(
        "skills",
        records.Skill,
        {"skill_id": ID, "name": MAYBE_TEXT, "grade": MAYBE_TEXT, "subject": MAYBE_TEXT},
        key=("skill_id",),
    ),
    RosterFile(
        "prerequisites",
        records.Prerequisite,
        {"skill_id": ID, "requires_skill_id": ID},
        key=("skill_id", "requires_skill_id"),
    ),
    RosterFile(
        "focus",
        records.Focus,
        {"team_id": ID, "skill_id": ID, "weight": Column(cells.parse_share)},
        key=("team_id", "skill_id"),
    ),
    RosterFile(
        "past_sessions",
        records.PastSession,
        {
            "date": Column(cells.parse_date),
            "team_id": ID,
            "block_id": ID,
            "staff_id": MAYBE_ID,
            "skill_id": MAYBE_ID,
            "students": Column(cells.parse_ids),
        },
        key=("date", "team_id", "block_id", "staff_id", "skill_id", "students"),
    ),
    RosterFile(
        "series",
        records.Series,
        {
            "series_id": ID,
            "team_id": ID,
            "students": Column(cells.parse_ids),
            "staff_id": ID,
            "skills": Column(cells.parse_ids),
            "from_date": Column(cells.parse_date),
            "until": Column(cells.parse_until),
            "block_ids": Column(cells.parse_ids, needed=False),
            "weekdays": Column(cells.several_of(*records.WEEKDAYS), needed=False),
            "sessions_per_week": Column(cells.parse_count, needed=False),
            "minutes_per_week": Column(cells.parse_count, needed=False),
        },
        key=("series_id",),
    ),
    RosterFile(
        "demographics",
        records.Demographic,
        {"student_id": ID, "column": TEXT, "value": TEXT},
        key=("student_id", "column"),
    ),
    RosterFile(
        "ids",
        OtherId,
        {"student_id": ID, "kind": TEXT, "other_id": ID},
        key=("kind", "other_id"),
    ),
)

NAMES = RosterFile(
    "names",
    PersonName,
    {
        "student_id": MAYBE_ID,
        "staff_id": MAYBE_ID,
        "name": TEXT,
    },
    key=("student_id", "staff_id"),
)
"""The file of display names, which is read only where there is a vault for them."""
