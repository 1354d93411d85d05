"""The mix of requests of a school's day, and single requests that other measurements use."""

import json

from experiments.benchmarks.service.load import DAY, MOMENT, UNIQUE, Connection, Request
from experiments.benchmarks.service.processes import ServerError
from experiments.benchmarks.service.school import School

EVENTS, BUDGET_S = 20, 0.2

PLAN = "recommendation"
WEIGHTS = {"forecasts": 30, "board": 20, "profile": 20, "plan again": 20, "events": 7, PLAN: 3}
"""Requests of each route in a hundred."""


def mix_requests(school: School, port: int) -> list[Request]:
    """Returns the mix, for all teams; a plan of each is made to be read again by its ETag."""
    requests = []
    connection = Connection(port)
    for team_id in school.team_ids:
        board = json.loads(_get(connection, school, f"/v1/teams/{team_id}/board")[0])
        students = [row["student_id"] for row in board["students"]]
        body = json.dumps({"team_id": team_id, "date": DAY, "seconds": BUDGET_S})
        plan = Request(PLAN, "POST", "/v1/recommendations", school.headers, body, WEIGHTS[PLAN])
        made = connection.send(plan.method, plan.path, plan.headers, plan.body.encode())
        path = f"/v1/recommendations/{json.loads(made.body)['id']}"
        known = school.headers | {"If-None-Match": _get(connection, school, path)[1]}
        profiles = [f"/v1/students/{student}/profile" for student in students[:10]]
        requests += [
            *(
                Request(route, "GET", f"/v1/teams/{team_id}/{route}", school.headers, weight=WEIGHTS[route])
                for route in ("forecasts", "board")
            ),
            Request("plan again", "GET", path, known, weight=WEIGHTS["plan again"]),
            *(Request("profile", "GET", path, school.headers, weight=WEIGHTS["profile"] / 10) for path in profiles),
            events_request(school, students),
            plan,
        ]
    connection.close()
    return requests


def events_request(school: School, students: list[str]) -> Request:
    """Returns a request that sends a batch of new events of some students."""
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
    return Request("events", "POST", "/v1/events", school.headers, body, WEIGHTS["events"])


def fetch_etag(school: School, port: int, path: str) -> str:
    """Returns the ETag of an answer."""
    connection = Connection(port)
    tag = _get(connection, school, path)[1]
    connection.close()
    return tag


def _get(connection: Connection, school: School, path: str) -> tuple[bytes, str]:
    answer = connection.send("GET", path, school.headers)
    if answer.status != 200:  # noqa: PLR2004 - HTTP
        raise ServerError(f"the service answered {answer.status} to a request of the mix; see its log")
    return answer.body, answer.headers.get("etag", "")
