"""The mix of requests of a school's day, and single requests that other measurements use."""

import json

from experiments.benchmarks.service.connection import Connection
from experiments.benchmarks.service.load import DAY, MOMENT, UNIQUE, Ask
from experiments.benchmarks.service.processes import ServerError
from experiments.benchmarks.service.school import School

EVENTS, BUDGET_S = 20, 0.2

PLAN = "recommendation"
WEIGHTS = {"forecasts": 30, "board": 20, "profile": 20, "plan again": 20, "events": 7, PLAN: 3}
"""Of each route in a hundred requests."""


def mix_requests(school: School, port: int) -> list[Ask]:
    """The mix, for all teams; a plan is made for each, to be read again by its ETag."""
    asks = []
    connection = Connection(port)
    for team_id in school.team_ids:
        board = json.loads(_get(connection, school, f"/v1/teams/{team_id}/board")[0])
        students = [row["student_id"] for row in board["students"]]
        plan = ask_plan(school, team_id)
        made = connection.ask(plan.method, plan.path, plan.headers, plan.body.encode())
        path = f"/v1/recommendations/{json.loads(made.body)['id']}"
        tag = _get(connection, school, path)[1]
        asks += [
            Ask("forecasts", "GET", f"/v1/teams/{team_id}/forecasts", school.headers, weight=WEIGHTS["forecasts"]),
            Ask("board", "GET", f"/v1/teams/{team_id}/board", school.headers, weight=WEIGHTS["board"]),
            Ask("plan again", "GET", path, school.headers | {"If-None-Match": tag}, weight=WEIGHTS["plan again"]),
            ask_events(school, students),
            plan,
        ]
        asks += [
            Ask("profile", "GET", f"/v1/students/{each}/profile", school.headers, weight=WEIGHTS["profile"] / 10)
            for each in students[:10]
        ]
    connection.close()
    return asks


def ask_plan(school: School, team_id: str) -> Ask:
    """A plan, searched for a fifth of a second."""
    body = json.dumps({"team_id": team_id, "date": DAY, "seconds": BUDGET_S})
    return Ask(PLAN, "POST", "/v1/recommendations", school.headers, body, WEIGHTS[PLAN])


def ask_events(school: School, students: list[str]) -> Ask:
    """A batch of new events of some students."""
    events = [
        {
            "event_id": f"{UNIQUE}-{at}",
            "student_id": students[at % len(students)],
            "occurred_at": MOMENT,
            "item_id": f"bench-{at}",
            "score": at % 2,
            "skill_ids": ["skill-001"],
        }
        for at in range(EVENTS)
    ]
    body = json.dumps({"events": events})
    return Ask("events", "POST", "/v1/events", school.headers, body, WEIGHTS["events"])


def tag_of(school: School, port: int, path: str) -> str:
    """The ETag of an answer."""
    connection = Connection(port)
    tag = _get(connection, school, path)[1]
    connection.close()
    return tag


def _get(connection: Connection, school: School, path: str) -> tuple[bytes, str]:
    answer = connection.ask("GET", path, school.headers)
    if answer.status != 200:  # noqa: PLR2004 - HTTP
        raise ServerError(f"the service answered {answer.status} to a request of the mix; see its log")
    return answer.body, answer.headers.get("etag", "")
