"""Parsers of cells as other systems write them; they raise ValueError with what would be right."""

from datetime import date

from features.roster.files.cells import nearest, parse_id, parse_text, shown

ADULT_ROLES = {
    "teacher": "collaborating_teacher",
    "professor": "collaborating_teacher",
    "lecturer": "collaborating_teacher",
    "faculty": "collaborating_teacher",
    "adjunct": "collaborating_teacher",
    "instructor": "collaborating_teacher",
    "aide": "support_staff",
    "assistant": "support_staff",
    "paraprofessional": "support_staff",
    "teachersassistant": "support_staff",
    "teachingassistant": "support_staff",
}
"""What an adult of a class is in a team, unless the team says otherwise."""

OTHER_ROLES = (
    "administrator", "proctor", "guardian", "parent", "relative", "counselor", "principal", "districtadministrator",
    "siteadministrator", "systemadministrator", "staff", "nurse", "coach", "officestaff", "alumni", "other",
)  # fmt: skip
"""Roles of people who are of no team through a class."""

STUDENT = "student"

ROLES = (STUDENT, *ADULT_ROLES, *OTHER_ROLES)

STATUSES = ("active", "tobedeleted", "inactive")
"""`inactive` is of OneRoster 1.0 and still written."""

FIRST_YEAR, LAST_YEAR = 1990, 2199
"""Years beyond are what systems write for "no date", such as 1900-01-01 and 9999-12-31."""

YES, NO = ("true", "yes", "1"), ("false", "no", "0")


def parse_source_id(text: str) -> str:
    """The id without outer blanks.

    Raises:
        ValueError: It has a semicolon, a control character or more than 200 characters.
    """
    return parse_id(text.strip())


def parse_list(text: str) -> tuple[str, ...]:
    """The ids or words between commas, each once.

    Example:
        >>> parse_list("as-1, as-2")
        ('as-1', 'as-2')
    """
    return tuple(dict.fromkeys(parse_text(part) for part in text.split(",") if part.strip()))


def parse_status(text: str) -> bool:
    """Whether the row still holds.

    Raises:
        ValueError: It is none of the words.
    """
    word = text.strip().lower()
    if word not in STATUSES:
        raise ValueError(f"{shown(text)} is not a status; write active or tobedeleted")
    return word == "active"


def parse_flag(text: str) -> bool:
    """A yes or no, as true, yes, 1, false, no or 0.

    Raises:
        ValueError: It is neither.
    """
    word = text.strip().lower()
    if word not in YES + NO:
        raise ValueError(f"{shown(text)} is not right; write true or false")
    return word in YES


def parse_role(text: str) -> str:
    """The role in small letters; a role of the system's own passes, a misspelt one does not.

    Raises:
        ValueError: It looks like a misspelt role.

    Example:
        >>> parse_role("siteAdministrator"), parse_role("ext:dean")
        ('siteadministrator', 'ext:dean')
    """
    word = parse_id(text.strip()).lower()
    meant = None if word in ROLES else nearest(word, ROLES)
    if meant:
        raise ValueError(f"{shown(text)} is not a role; did you mean {meant}?")
    return word


def parse_day(text: str) -> date | None:
    """The day of a date or a moment, YYYY-MM-DD first; null where the year stands for "no date".

    Raises:
        ValueError: It is no date.

    Example:
        >>> parse_day("2026-08-24T00:00:00.000Z"), parse_day("9999-12-31")
        (datetime.date(2026, 8, 24), None)
    """
    day, mark, _ = text.strip().partition("T")
    try:
        found = date.fromisoformat(day if mark else day.partition(" ")[0])
    except ValueError:
        raise ValueError(f"{shown(text)} is not a date; write YYYY-MM-DD, such as 2026-08-24") from None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def parse_us_day(text: str) -> date | None:
    """A date as `parse_day` takes it, or month/day/year.

    Raises:
        ValueError: It is neither.

    Example:
        >>> parse_us_day("8/24/2026")
        datetime.date(2026, 8, 24)
    """
    parts = text.strip().split("/")
    if len(parts) == len("mdy"):
        try:
            month, day, year = (int(part) for part in parts)
            found = date(year, month, day)
        except ValueError:
            raise ValueError(f"{shown(text)} is not a date; write month/day/year, such as 8/24/2026") from None
        return found if FIRST_YEAR <= found.year <= LAST_YEAR else None
    return parse_day(text)
