"""The roster's tables; lists of students are rows of their own, so that one student can be erased."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Double,
    Integer,
    MetaData,
    Table,
    Text,
    Time,
    bindparam,
    or_,
    select,
)

from features.database.dialects import UtcTime, upsert

METADATA = MetaData()

TEAMS = Table(
    "roster_teams",
    METADATA,
    Column("team_id", Text, primary_key=True),
    Column("school", Text, nullable=False),
    Column("name", Text),
)
MEMBERS = Table(
    "roster_members",
    METADATA,
    Column("team_id", Text, primary_key=True),
    Column("student_id", Text, primary_key=True, index=True),
    Column("from_date", Date),  # null: since ever
    Column("until", Date),  # null: open
)
STAFF = Table(
    "roster_staff",
    METADATA,
    Column("staff_id", Text, primary_key=True),
    Column("team_id", Text, primary_key=True, index=True),
    Column("role", Text, nullable=False),
    Column("may_lead", JSON, nullable=False),
    Column("skills", JSON(none_as_null=True)),
    Column("max_group", Integer),
    Column("certified", Boolean, nullable=False),
    Column("coach", Text),
)
ROOMS = Table(
    "roster_rooms",
    METADATA,
    Column("room_id", Text, primary_key=True),
    Column("team_id", Text, nullable=False, index=True),
    Column("capacity", Integer, nullable=False),
)
BLOCKS = Table(
    "roster_blocks",
    METADATA,
    Column("block_id", Text, primary_key=True),
    Column("team_id", Text, nullable=False, index=True),
    Column("weekday", Text, nullable=False),
    Column("start", Time, nullable=False),
    Column("end", Time, nullable=False),
)
RULES = Table(
    "roster_rules",
    METADATA,
    Column("rule_id", Text, primary_key=True),
    Column("team_id", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("staff_id", Text),
    Column("block_id", Text),
    Column("skill_id", Text),
)
RULE_STUDENTS = Table(
    "roster_rule_students",
    METADATA,
    Column("rule_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("student_id", Text, nullable=False, index=True),
)
SERIES = Table(
    "roster_series",
    METADATA,
    Column("series_id", Text, primary_key=True),
    Column("team_id", Text, nullable=False, index=True),
    Column("staff_id", Text, nullable=False),
    Column("skills", JSON, nullable=False),
    Column("from_date", Date, nullable=False),
    Column("until", Date),  # null: until proficient
    Column("block_ids", JSON(none_as_null=True)),
    Column("weekdays", JSON(none_as_null=True)),
    Column("sessions_per_week", Integer),
    Column("minutes_per_week", Integer),
)
SERIES_STUDENTS = Table(
    "roster_series_students",
    METADATA,
    Column("series_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("student_id", Text, nullable=False, index=True),
)
SKILLS = Table(
    "roster_skills",
    METADATA,
    Column("skill_id", Text, primary_key=True),
    Column("name", Text),
    Column("grade", Text),
    Column("subject", Text),
)
PREREQUISITES = Table(
    "roster_prerequisites",
    METADATA,
    Column("skill_id", Text, primary_key=True),
    Column("requires_skill_id", Text, primary_key=True),
)
FOCUS = Table(
    "roster_focus",
    METADATA,
    Column("team_id", Text, primary_key=True),
    Column("skill_id", Text, primary_key=True),
    Column("weight", Double, nullable=False),
)
PAST_SESSIONS = Table(
    "roster_past_sessions",
    METADATA,
    Column("session_id", Text, primary_key=True),  # random: nothing outside these tables names a session by it
    Column("date", Date, nullable=False),
    Column("team_id", Text, nullable=False, index=True),
    Column("block_id", Text, nullable=False),
    Column("staff_id", Text),
    Column("skill_id", Text),
    Column("room_id", Text),
    Column("recorded", Boolean, nullable=False),  # by a decision in regroup; a roster file never replaces it
)
PAST_SESSION_STUDENTS = Table(
    "roster_past_session_students",
    METADATA,
    Column("session_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("student_id", Text, nullable=False, index=True),
)
DEMOGRAPHICS = Table(
    "roster_demographics",
    METADATA,
    Column("student_id", Text, primary_key=True),
    Column("column", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
POLICIES = Table(
    "roster_policies",
    METADATA,
    Column("team_id", Text, primary_key=True),  # empty for all teams
    Column("settings", JSON, nullable=False),
    Column("roster", JSON, nullable=False),  # what the team is made of, where no CSV file says it
)
POLICY_STUDENTS = Table(
    "roster_policy_students",
    METADATA,
    Column("team_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("student_id", Text, nullable=False, index=True),
    Column("excluded_staff_id", Text),  # null: the student needs a certified adult
)
SOURCE_ROWS = Table(
    "roster_source_rows",
    METADATA,
    Column("kind", Text, primary_key=True),  # of the lists of another system, such as `enrollments`
    Column("source_id", Text, primary_key=True),
    Column("student_id", Text, index=True),  # null: the row is about no student
    Column("record", JSON, nullable=False),
)
OTHER_IDS = Table(
    "roster_ids",
    METADATA,
    Column("kind", Text, primary_key=True),  # such as `username`
    Column("other_id", Text, primary_key=True),
    Column("student_id", Text, nullable=False, index=True),
)
UNMATCHED_IDS = Table(
    "roster_unmatched_ids",
    METADATA,
    Column("source", Text, primary_key=True),  # of the events
    Column("other_id", Text, primary_key=True),  # stands for nobody of the roster
    Column("events", Integer, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
)
VERSIONS = Table(
    "roster_versions",
    METADATA,
    Column("team_id", Text, primary_key=True),  # empty for the whole roster
    Column("version", BigInteger, nullable=False),
)
OF_STUDENTS = (
    MEMBERS,
    RULE_STUDENTS,
    SERIES_STUDENTS,
    PAST_SESSION_STUDENTS,
    DEMOGRAPHICS,
    POLICY_STUDENTS,
    SOURCE_ROWS,
)
"""Every table with a student's id, but for the id table; erasing a student empties the rows of all of them."""

PLAIN = {
    "teams": TEAMS,
    "members": MEMBERS,
    "staff": STAFF,
    "rooms": ROOMS,
    "blocks": BLOCKS,
    "skills": SKILLS,
    "prerequisites": PREREQUISITES,
    "focus": FOCUS,
    "demographics": DEMOGRAPHICS,
    "ids": OTHER_IDS,
}
"""Fields of a roster whose records are rows of one table as they are."""


WHOLE = ""
"""Stands for all teams and the skills; no team has this id."""

Version = tuple[int, int]
"""Changes of the whole roster, and of one team by itself."""


def count_change(connection: Connection, team_id: str = WHOLE) -> None:
    """Counts a change of one team or of the whole roster.

    Args:
        connection: The transaction that makes the change.
        team_id: The team whose rows change; without it, the whole roster changes.
    """
    counted = upsert(connection, VERSIONS, {"version": VERSIONS.c.version + 1})
    connection.execute(counted.values(team_id=team_id, version=1))


def read_version(connection: Connection, team_id: str) -> Version:
    """The version of one team."""
    found = {row.team_id: row.version for row in connection.execute(_ASKED, {"asked": team_id})}
    return found.get(WHOLE, 0), found.get(team_id, 0)


_ASKED = select(VERSIONS).where(or_(VERSIONS.c.team_id == WHOLE, VERSIONS.c.team_id == bindparam("asked")))
"""Built once, since every request runs it."""
