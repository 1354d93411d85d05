"""Who is in which class of a roster of another system, from a day on."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from features.roster.exports.cells import ADULT_ROLES, STUDENT
from features.roster.exports.lists import Enrollment, Person, SchoolClass, SchoolLists, Term
from features.roster.files.cells import shown
from features.roster.files.sheets import Findings, Row

NAMED = 3
"""Lines that one warning names."""

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Place:
    """One person's place in one class; a null date is open.

    Attributes:
        class_id: The class.
        person: The id that the person has in regroup.
        role: `student`, or what the adult is in a team, such as `collaborating_teacher`.
        start: First day.
        end: Last day.
        line: Of the file of enrollments.
    """

    class_id: str
    person: str
    role: str
    start: date | None
    end: date | None
    line: int | None


@dataclass(frozen=True)
class Classes:
    """The classes that hold, and who is in them.

    Attributes:
        shape: What the roster was taken for.
        files: Name of the file of each kind.
        classes: By id.
        schools: Names of schools by id, no two alike.
        places: All places that have not ended.
        grades: Grade of each student, where said.
    """

    shape: str
    files: Mapping[str, str]
    classes: Mapping[str, SchoolClass]
    schools: Mapping[str, str]
    places: tuple[Place, ...]
    grades: Mapping[str, str]


def excludes_end(shape: str) -> bool:
    """Whether a date of an end is the first day after it, unless people say otherwise.

    Source:
        1EdTech, OneRoster 1.1 and 1.2: `endDate` of enrollments, roles and academic sessions is exclusive. What other
        shapes mean is not written down; they are taken at their word.

    Example:
        >>> excludes_end("OneRoster 1.2"), excludes_end("class list")
        (True, False)
    """
    return shape.startswith("OneRoster")


def find_places(lists: SchoolLists, day: date, findings: Findings, end_date: str | None = None) -> Classes:
    """The classes and places that hold on a day or later; what was left out is counted in warnings.

    Args:
        lists: What the files say.
        day: The day; enrollments that ended before are left out.
        findings: Gets the warnings.
        end_date: `exclusive`: a date of an end is the first day after it; `inclusive`: it is the last day; null: as
            the shape of the roster has it.
    """
    excluded = excludes_end(lists.shape) if end_date is None else end_date == "exclusive"
    kinds = {kind: [row for row in rows if row.record.active] for kind, rows in lists.rows.items()}
    people = {row.record.source_id: row.record for row in kinds.get("people", ())}
    classes = {row.record.source_id: row.record for row in kinds.get("classes", ())}
    terms = {row.record.source_id: row.record for row in kinds.get("terms", ())}
    known_roles = _roles_of(people.values(), kinds.get("roles", ()), day + excluded * ONE_DAY)
    known = {kind: {row.record.source_id for row in lists.rows.get(kind, ())} for kind in ("classes", "people")}
    left: dict[str, list[Row]] = defaultdict(list)
    places = []
    for row in kinds.get("enrollments", ()):
        enrollment: Enrollment = row.record
        person, of_class = people.get(enrollment.person), classes.get(enrollment.class_id)
        if person is None or of_class is None:
            # whoever or whatever was deleted has no places any more, which nobody has to be told
            if enrollment.class_id not in known["classes"]:
                left[f"name a class that {lists.files['classes']}.csv does not have"].append(row)
            elif enrollment.person not in known["people"]:
                left[f"name somebody whom {lists.files['people']}.csv does not have"].append(row)
            continue
        start, end = _dates_of(enrollment, of_class, terms)
        why = _find_reason(enrollment, person, known_roles[enrollment.person], lists.files["people"])
        if why is None and excluded and end is not None:
            why = "end on the day on which they begin" if end == start else None
            end -= ONE_DAY
        if why is None and end is not None and end < day:
            why = f"ended before {day}"
        if why is None:
            role = ADULT_ROLES.get(enrollment.role, STUDENT)
            places.append(Place(enrollment.class_id, person.regroup_id, role, start, end, row.line))
        else:
            left[why].append(row)
    total = len(kinds.get("enrollments", ()))
    for why, rows in left.items():
        lines = [str(row.line) for row in rows if row.line is not None]
        where = f" (line{'s' if len(lines) > 1 else ''} {', '.join(lines[:NAMED])}{', …' * (len(lines) > NAMED)})"
        what = f"{len(rows)} of {total}{where if lines else ''}".rstrip()
        findings.warnings.append(f"{lists.files['enrollments']}.csv: {what} {why} and were left out")
    if not places and f"ended before {day}" in left:
        findings.warnings.append(
            f"nobody is in a class on {day} or later; --as-of DATE, or `as_of` over HTTP, reads an older roster as of "
            "one of its days"
        )
    grades = {person.regroup_id: person.grades[0] for person in people.values() if person.grades}
    return Classes(lists.shape, lists.files, classes, _name_schools(kinds.get("orgs", ())), tuple(places), grades)


def _find_reason(enrollment: Enrollment, person: Person, roles: set[str], file: str) -> str | None:
    """Why somebody who is there has no place in a class; null: the place counts."""
    if not person.enabled:
        return "are of people whose account is not enabled"
    if enrollment.role != STUDENT and enrollment.role not in ADULT_ROLES:
        return f"have the role {shown(enrollment.role)}"
    if not roles or (STUDENT in roles) == (enrollment.role == STUDENT):
        return None
    if enrollment.role == STUDENT:
        return f"have the role 'student', which {file}.csv (or roles.csv) does not give to these people,"
    return f"have the role {shown(enrollment.role)} and are of people who are students by {file}.csv (or roles.csv)"


def _roles_of(people: Iterable[Person], rows: Iterable[Row], day: date) -> dict[str, set[str]]:
    """The roles of each person that end on the day or later; those who have none have those of any day."""
    found = {person.source_id: {person.role} if person.role else set() for person in people}
    past: dict[str, set[str]] = {}
    for row in rows:
        of = past if row.record.end is not None and row.record.end < day else found
        of.setdefault(row.record.person, set()).add(row.record.role)
    return {person: roles or past.get(person, set()) for person, roles in found.items()}


def _dates_of(
    enrollment: Enrollment, of_class: SchoolClass, terms: Mapping[str, Term]
) -> tuple[date | None, date | None]:
    """First and last day: of the enrollment, else of the class, else of the terms of the class."""
    own = [terms[term] for term in of_class.terms if term in terms]
    starts, ends = [term.start for term in own], [term.end for term in own]
    start = min((day for day in starts if day), default=None) if None not in starts else None
    end = max((day for day in ends if day), default=None) if None not in ends else None
    return (
        enrollment.start or of_class.start or start,
        enrollment.end or of_class.end or end,
    )


def _name_schools(rows: Iterable[Row]) -> dict[str, str]:
    names = {row.record.source_id: row.record.name or row.record.source_id for row in rows}
    often = Counter(names.values())
    return {school: name if often[name] == 1 else f"{name} ({school})" for school, name in names.items()}
