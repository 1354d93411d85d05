"""Clients of a campaign: they remember what was acknowledged, and check at the end that it is there."""

import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.benchmarks.service.load import DAY, Connection, Response
from experiments.benchmarks.service.school import School

OK, CREATED, REFUSED, CONFLICT, UNAVAILABLE = 200, 201, 400, 409, 503
SHARES = {"forecasts": 40, "board": 20, "models": 30, "events": 7, "plan": 3}
BUDGET_S = 0.05
TIMEOUT_S, MAX_WAIT_S = 180, 1.0
"""Longest wait for one acknowledgement, and between two attempts."""


@dataclass
class Findings:
    """What the clients saw since the start; `phase` names the fault that was brought about last.

    Statuses are counted by phase, 0 where the connection broke; `wrong` holds sentences about what must not be.
    """

    phase: str = "start"
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    versions: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self) -> int:
        """Returns requests so far."""
        with self._lock:
            return self.statuses.total()

    def note(self, status: int, response: Response | None) -> None:
        """Counts one request, and says if its response must not be."""
        with self._lock:
            self.statuses[self.phase, status] += 1
            if response is None or status < REFUSED:
                return
            if status not in {CONFLICT, UNAVAILABLE} or "retry-after" not in response.headers:
                self.wrong.append(f"status {status} in phase {self.phase}")

    def note_version(self, content: dict[str, Any], rest: str | None) -> None:
        """Checks that a response is of one version: its numbers, and all that the version ever said of the same."""
        model = content["provenance"]["model"]
        run = model["run_id"]
        with self._lock:
            self.runs[run] += 1
            for key, value in ((run, json.dumps(model, sort_keys=True)), (f"{run} forecasts", rest)):
                if value is not None and self.versions.setdefault(key, value) != value:
                    self.wrong.append(f"a response of run {run} is unlike its others in phase {self.phase}")


class Client:
    """One thread of a campaign, with what was acknowledged: batches of events, plans by key, decisions by plan."""

    def __init__(self, school: School, port: int, findings: Findings, number: int) -> None:
        self._school, self._findings = school, findings
        self._connection, self._rng = Connection(port), random.Random(number)  # noqa: S311 - no secret hangs on it
        self.batches: list[str] = []
        self.plans: dict[str, str] = {}
        self.decisions: dict[str, str] = {}

    def run(self, stop: threading.Event) -> None:
        """Sends requests until it is stopped."""
        while not stop.is_set():
            kind = self._rng.choices(list(SHARES), list(SHARES.values()))[0]
            if kind == "events":
                self.load()
            elif kind == "plan":
                self._plan()
            else:
                self._read(kind)
        self._connection.close()

    def _read(self, kind: str) -> None:
        # nobody loads events of the last team, so that its forecasts are the model's and the night's alone
        path = "/v1/models" if kind == "models" else f"/v1/teams/{self._school.team_ids[-1]}/{kind}"
        response = self._send("GET", path)
        if response is not None and response.status == OK:
            content = json.loads(response.body)
            rest = {name: value for name, value in content.items() if name != "provenance"}
            self._findings.note_version(content, json.dumps(rest) if kind == "forecasts" else None)

    def load(self) -> None:
        """Sends a batch of new events until it is acknowledged."""
        batch = uuid.uuid4().hex
        event = {"occurred_at": f"{DAY}T08:00:00Z", "score": 1, "item_id": "bench", "skill_ids": ["skill-001"]}
        events = [event | {"event_id": f"{batch}-{at}", "student_id": f"bench-{at}"} for at in range(5)]
        body = json.dumps({"events": events})
        response = self._send_until_answered("/v1/events", body)
        if response.status == OK:
            self.batches.append(body)

    def _plan(self) -> None:
        key = uuid.uuid4().hex
        team_id = self._rng.choice(self._school.team_ids[:-1])
        body = json.dumps({"team_id": team_id, "date": DAY, "seconds": BUDGET_S})
        response = self._send_until_answered("/v1/recommendations", body, {"Idempotency-Key": key})
        if response.status != CREATED:
            self._findings.wrong.append(f"a plan was refused with {response.status}")
            return
        content = json.loads(response.body)
        self.plans[key] = content["id"]
        self._findings.note_version(content, None)
        if self._rng.random() < 0.5:  # noqa: PLR2004 - every second plan is asked for again
            again = json.loads(self._send_until_answered("/v1/recommendations", body, {"Idempotency-Key": key}).body)
            if again.get("id") != content["id"]:
                self._findings.wrong.append("the same Idempotency-Key made two plans")
        else:
            path = f"/v1/recommendations/{content['id']}/decision"
            decided = self._send_until_answered(path, '{"decision": "accepted"}')
            if decided.status in {OK, CREATED}:
                self.decisions[content["id"]] = "accepted"

    def _send_until_answered(self, path: str, body: str, headers: dict[str, str] | None = None) -> Response:
        return send_until_answered(lambda: self._send("POST", path, body, headers), path, TIMEOUT_S)

    def _send(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Response | None:
        try:
            response = self._connection.send(method, path, self._school.headers | (headers or {}), body.encode())
        except OSError:
            self._findings.note(0, None)
            return None
        self._findings.note(response.status, response)
        return response


def send_until_answered(send: Callable[[], Response | None], path: str, within_s: float) -> Response:
    """Returns the response, after as many attempts as a broken connection or a busy service takes.

    Raises:
        TimeoutError: There was none within the seconds.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        response = send()
        if response is not None and "retry-after" not in response.headers:
            return response
        time.sleep(MAX_WAIT_S if response is None else min(float(response.headers["retry-after"]), MAX_WAIT_S))
    raise TimeoutError(f"{path} was not answered within {within_s:.0f} s")


def check_kept(connection: Connection, school: School, clients: Sequence[Client]) -> list[str]:
    """Returns sentences about what was acknowledged and is not there, or is there twice."""
    wrong = []
    for client in clients:
        for body in client.batches:
            content = json.loads(connection.send("POST", "/v1/events", school.headers, body.encode()).body)
            if (content.get("stored"), content.get("known")) != (0, 5):
                wrong.append("a batch of events that was acknowledged is not there")
        paths = [f"/v1/recommendations/{plan}" for plan in client.plans.values()]
        statuses = [connection.send("GET", path, school.headers).status for path in paths]
        wrong += ["a plan that was acknowledged is not there" for status in statuses if status != OK]
        for plan, choice in client.decisions.items():
            response = connection.send("GET", f"/v1/recommendations/{plan}/decision", school.headers)
            if response.status != OK or json.loads(response.body)["decision"] != choice:
                wrong.append("a decision that was acknowledged is not there")
    made = {plan for client in clients for plan in client.plans.values()}
    if list_plans(connection, school) != made:
        wrong.append("the plans that are listed are not those that were acknowledged")
    return wrong


def list_plans(connection: Connection, school: School) -> set[str]:
    """Returns ids of all plans of all teams."""
    found = set()
    for team_id in school.team_ids:
        cursor = ""
        while cursor is not None:
            more = f"&cursor={cursor}" if cursor else ""
            path = f"/v1/recommendations?team_id={team_id}&limit=100{more}"
            page = json.loads(connection.send("GET", path, school.headers).body)
            found |= {row["id"] for row in page["recommendations"]}
            cursor = page["next_cursor"]
    return found
