"""The file of a plan: what a person may have changed is read, and what is wrong is named."""

import json
from dataclasses import asdict

import pytest

from features.errors import InputError
from serving.formats import read_plan
from serving.grouping.problem.plan import Session
from serving.grouping.problem.policy import SessionType

SESSIONS = (
    Session("g1", "m1", SessionType.TUTORING, "ratios", ("lead",), None, ("Ada", "Zoe")),
    Session("o1", "m1", SessionType.ONLINE, None, ("tutor",), "library", ("Ben",)),
)


@pytest.fixture
def plan():
    return {"sessions": json.loads(json.dumps([asdict(session) for session in SESSIONS])), "score": {"total": 1.0}}


def test_what_is_written_is_read_whatever_else_is_there(plan):
    assert read_plan(json.dumps(plan)) == SESSIONS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plan: plan["sessions"][1].update(session_type="offline"), r"sessions\[1\]\.session_type: .*'offline'"),
        (lambda plan: plan["sessions"][0].pop("block"), r"sessions\[0\]\.block: Field required$"),
        (lambda plan: plan["sessions"][0].update(colour="red"), r"sessions\[0\]\.colour is no field of a session"),
        (lambda plan: plan["sessions"][0].update(students="Zoe"), r"sessions\[0\]\.students: Input should be"),
        (lambda plan: plan["sessions"][0].update(adults=[3]), r"sessions\[0\]\.adults\[0\]: .*it is 3"),
        (lambda plan: plan.update(sessions=None), "no list of sessions"),
    ],
)
def test_what_is_wrong_is_named_and_no_student_is(plan, change, message):
    change(plan)

    with pytest.raises(InputError, match=message) as error:
        read_plan(json.dumps(plan))

    assert "Zoe" not in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "3", '{"score": {}}'])
def test_what_is_no_plan_is_refused(text):
    with pytest.raises(InputError):
        read_plan(text)
