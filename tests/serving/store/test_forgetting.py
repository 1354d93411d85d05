"""Students leave stored JSON by its schema: ids of other things that look like theirs stay, whatever they name."""

from dataclasses import fields, is_dataclass
from typing import get_args, get_type_hints

import pytest
from pydantic import BaseModel

from serving.grouping import Problem
from serving.schemas.recommendations import RecommendationOut, RecommendationRequest
from serving.schemas.sessions import SessionSeats
from serving.store.forgetting import FORGOTTEN, _read_schema, forget_students

STORED = [RecommendationRequest, RecommendationOut, Problem, list[SessionSeats]]

BLOCK = {"block_id": "14", "session_type": "small_group", "skill_id": "14", "room_id": "14"}
SEATS = [{"student_id": student, "why": "14 needs 14", "facts": ["14"]} for student in ("14", "15")]
ADULTS = [{"staff_id": "14", "role": "14"}]
SESSION = {**BLOCK, "id": "14", "adults": ADULTS, "students": SEATS, "time": "14", "skill": "14", "why": "14"}
RULES = [
    {"kind": "keep_apart", "student_ids": ["14", "15"]},
    {"kind": "keep_apart", "student_ids": ["14", "15", "16"]},
    {"kind": "pinned", "student_ids": ["14"], "skill_id": "14"},
    {"kind": "unavailable", "student_ids": ["14"], "staff_id": "14"},
]
NOTES = [
    {"rule_id": "14", "students": ["14"], "sentence": "14 and 14"},
    {"rule_id": "14", "students": ["14", "15"], "sentence": "14 and 15"},
    {"rule_id": "14", "students": ["15"], "sentence": "15 on 14"},
    {"rule_id": None, "students": [], "sentence": "14 holds no group"},
]
ANSWER = {
    "id": "14",
    "team_id": "14",
    "previous": "14",
    "sessions": [SESSION, {**SESSION, "students": SEATS[:1]}],
    "unmet": [{"student_id": student, "skill_id": "14"} for student in ("14", "15")],
    "watch": [{"student_id": "14"}],
    "notes": NOTES,
    "policy": {"needs_certified": ["14", "15"], "blocks": {"14": {"skills": ["14"]}}, "most_by_role": {"14": 2}},
    "alternatives": [{"sessions": [{**BLOCK, "id": "14", "adults": ["14"], "students": ["14", "15"]}]}],
}
LEFT = {
    **ANSWER,
    "sessions": [{**SESSION, "students": SEATS[1:]}],
    "unmet": ANSWER["unmet"][1:],
    "watch": [],
    "notes": [{**NOTES[1], "students": ["15"], "sentence": FORGOTTEN}, *NOTES[2:]],
    "policy": {**ANSWER["policy"], "needs_certified": ["15"]},
    "alternatives": [{"sessions": [{**BLOCK, "id": "14", "adults": ["14"], "students": ["15"]}]}],
}
DAY = {
    "students": [{"id": "14", "blocks": ["14"]}, {"id": "15", "blocks": ["14"]}],
    "adults": [{"id": "14", "role": "14", "blocks": ["14"], "session_types": [], "skills": {"14": 1}, "coach": "14"}],
    "skills": [{"id": "14", "name": "14"}],
    "rooms": [{"id": "14", "capacity": 14, "blocks": ["14"]}],
    "needs": [{"student": student, "skill": "14", "because_of": "14"} for student in ("14", "15")],
    "keep_apart": [["14", "15"], ["15", "16"]],
    "adult_exclusions": [["14", "15"], ["15", "14"]],
    "pins": [{"student": "15", "block": "14", "skill": "14", "adult": "14"}],
    "contacts": [{"student": "14", "adult": "14"}, {"student": "15", "adult": "14"}],
    "recent_groupmates": [{"first": "14", "second": "15", "sessions": 1}],
    "previous": [{"student": "15", "block": "14", "skill": "14", "adult": "14"}],
    "coaching": [{"coach": "14", "trainee": "15"}],
}


def names_of(kind, path=""):
    """The paths of all fields of a type that are about students, as their names say."""
    for part in get_args(kind):
        yield from names_of(part, path)
    if isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, BaseModel)):
        names = [field.name for field in fields(kind)] if is_dataclass(kind) else kind.model_fields
        for name in names:
            if "student" in name and name != "students_per_monitor":
                yield f"{path}.{name}"
            yield from names_of(get_type_hints(kind)[name], f"{path}.{name}")


def found_in(schema, path=""):
    """The paths of the fields in which students are looked for."""
    for part in (getattr(schema, "element", None), *getattr(schema, "options", ()), *getattr(schema, "elements", ())):
        if part is not None:
            yield from found_in(part, path)
    for name, part in getattr(schema, "fields", {}).items():
        yield f"{path}.{name}"
        yield from found_in(part, f"{path}.{name}")


@pytest.mark.parametrize("kind", STORED, ids=str)
def test_students_are_looked_for_wherever_a_field_is_called_after_them(kind):
    """A field that fails here needs a type marked with `serving.grouping.STUDENT`; counts of students are no ids."""
    counted = {".focus_notes.not_ready", ".sessions.teach.missed_items.students"}

    assert set(names_of(kind)) - counted <= set(found_in(_read_schema(kind)))


def test_an_answer_loses_what_is_about_the_student_and_nothing_of_the_same_name():
    assert forget_students(RecommendationOut, ANSWER, ["14"]) == LEFT


def test_a_request_loses_rules_that_mean_nothing_without_the_student():
    request = {"team_id": "14", "date": "2026-03-16", "rules": RULES, "absences": [{"staff_id": "14"}], "seed": 14}
    absent = {**request, "absences": [*request["absences"], {"student_id": "14", "block_ids": ["14"]}]}

    left = forget_students(RecommendationRequest, absent, ["14"])

    assert left == {
        **request,
        "rules": [{**RULES[1], "student_ids": ["15", "16"]}, {**RULES[3], "student_ids": []}],
    }


def test_a_day_loses_the_student_and_neither_the_adult_nor_the_skill_of_that_name():
    assert forget_students(Problem, DAY, ["14"]) == {
        **DAY,
        "students": DAY["students"][1:],
        "needs": DAY["needs"][1:],
        "keep_apart": [["15", "16"]],
        "adult_exclusions": [["15", "14"]],
        "contacts": DAY["contacts"][1:],
        "recent_groupmates": [],
    }


@pytest.mark.parametrize(("kind", "document"), [(RecommendationOut, ANSWER), (Problem, DAY)])
def test_who_is_not_named_leaves_it_as_it_is(kind, document):
    assert forget_students(kind, document, ["a.rivera", "team-1"]) is document
