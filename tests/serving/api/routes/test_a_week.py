"""`docs/a-week.md`: every step of the story is sent to the service, in its order."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

STORY = Path(__file__).parents[4] / "docs" / "a-week.md"
STEP = re.compile(r"```http\n(GET|POST) (\S+)\n(?:(\{.*\})\n)?(\d{3})(?: (.*))?\n```")


@pytest.fixture(scope="module")
def client(open_service):
    with open_service() as client:
        yield client


def find(body, path):
    """What a path such as `sessions[skill_id].id` leads to; in brackets, of the first element that has the field."""
    for part in path.split("."):
        name, _, field = part.rstrip("]").partition("[")
        body = body[int(name) if name.isdecimal() else name]
        if field:
            body = next(each for each in body if each[field])
    return body


def fill(text, known):
    return re.sub(r"\{(\w+)\}", lambda match: known[match[1]], text)


def test_every_step_of_the_week_is_answered_as_the_story_says(client):
    text = STORY.read_text(encoding="utf-8")
    steps = STEP.findall(text)
    known = {"later": str(date.today() + timedelta(days=7))}  # noqa: DTZ011 - as the service sees the day

    for method, address, body, status, kept in steps:
        known.setdefault("observer", "t01-lead")
        content = {"content": fill(body, known), "headers": {"Content-Type": "application/json"}} if body else {}
        answer = client.request(method, fill(address, known), **content)

        assert answer.status_code == int(status), f"{method} {address}: {answer.text}"
        for name, path in (each.split(" = ") for each in kept.split("; ") if each):
            known[name] = find(answer.json(), path)
            if name == "adult" and known[name] == "t01-lead":
                known["observer"] = "t01-collab"  # nobody observes themselves

    assert len(steps) == text.count("```http")
    digest = answer.json()
    assert "plans of 1 day were accepted" in digest["text"]
    assert "1 goal ended, 1 of them reached" not in digest["text"]  # it ended in the week of today
