"""Clients of a campaign: they remember what was acknowledged, and check at the end that it is there."""

import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.benchmarks.service.load import DAY, Connection, Response
from experiments.benchmarks.service.school import School

OK, CREATED, REFUSED, CONFLICT, UNAVAILABLE = 200, 201, 400, 409, 503
SHARES = {"forecasts": 40, "board": 20, "models": 30, "events": 7, "plan": 3}
BUDGET_S = 0.05
LONGEST_S, MOST_WAIT_S = 180, 2.0
"""Longest wait for one acknowledgement, and between two attempts."""


@dataclass
class Findings:
    """What all callers saw.

    Attributes:
        phase: The fault that was brought about last.
        statuses: How often each status was answered in each phase; 0 where the connection broke.
        runs: How often each run answered.
        wrong: Sentences about what must not be.
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

    def note(self, status: int, answer: Response | None) -> None:
        """Counts one request, and says if its answer must not be."""
        with self._lock:
            self.statuses[self.phase, status] += 1
            if answer is None or status < REFUSED:
                return
            if status not in {CONFLICT, UNAVAILABLE} or "retry-after" not in answer.headers:
                self.wrong.append(f"status {status} in phase {self.phase}")

    def note_version(self, content: dict[str, Any], rest: str | None) -> None:
        """Checks that an answer is of one version: its numbers, and all that the version ever said of the same."""
        model = content["provenance"]["model"]
        run = model["run_id"]
        with self._lock:
            self.runs[run] += 1
            for key, value in ((run, json.dumps(model, sort_keys=True)), (f"{run} forecasts", rest)):
                if value is not None and self.versions.setdefault(key, value) != value:
                    self.wrong.append(f"an answer of run {run} is unlike its others in phase {self.phase}")


class Caller:
    """One thread of a campaign.

    Attributes:
        batches: Bodies of events that were acknowledged.
        plans: Ids of plans by Idempotency-Key.
        decisions: What was decided, by plan.
    """

    def __init__(self, school: School, port: int, findings: Findings, number: int) -> None:
        self._school, self._findings = school, findings
        self._connection, self._rng = Connection(port), random.Random(number)  # noqa: S311 - no secret hangs on it
        self.batches: list[str] = []
        self.plans: dict[str, str] = {}
        self.decisions: dict[str, str] = {}

    def run(self, stop: threading.Event) -> None:
        """Asks until it is asked to stop."""
        while not stop.is_set():
            kind = self._rng.choices(list(SHARES), list(SHARES.values()))[0]
            if kind == "events":
                self.load()
            elif kind == "plan":
                self._plan()
            else:
                self._look(kind)
        self._connection.close()

    def _look(self, kind: str) -> None:
        # nobody loads events of the last team, so that its forecasts are the model's and the night's alone
        path = "/v1/models" if kind == "models" else f"/v1/teams/{self._school.team_ids[-1]}/{kind}"
        answer = self._ask("GET", path)
        if answer is not None and answer.status == OK:
            content = json.loads(answer.body)
            rest = {name: value for name, value in content.items() if name != "provenance"}
            self._findings.note_version(content, json.dumps(rest) if kind == "forecasts" else None)

    def load(self) -> None:
        """Sends a batch of new events until it is acknowledged."""
        batch = uuid.uuid4().hex
        event = {"occurred_at": f"{DAY}T08:00:00Z", "score": 1, "item_id": "bench", "skill_ids": ["skill-001"]}
        body = json.dumps(
            {"events": [event | {"event_id": f"{batch}-{at}", "student_id": f"bench-{at}"} for at in range(5)]}
        )
        answer = self._insist("/v1/events", body)
        if answer.status == OK:
            self.batches.append(body)

    def _plan(self) -> None:
        key = uuid.uuid4().hex
        team_id = self._rng.choice(self._school.team_ids[:-1])
        body = json.dumps({"team_id": team_id, "date": DAY, "seconds": BUDGET_S})
        answer = self._insist("/v1/recommendations", body, {"Idempotency-Key": key})
        if answer.status != CREATED:
            self._findings.wrong.append(f"a plan was refused with {answer.status}")
            return
        content = json.loads(answer.body)
        self.plans[key] = content["id"]
        self._findings.note_version(content, None)
        if self._rng.random() < 0.5:  # noqa: PLR2004 - every second plan is asked for again
            again = json.loads(self._insist("/v1/recommendations", body, {"Idempotency-Key": key}).body)
            if again.get("id") != content["id"]:
                self._findings.wrong.append("the same Idempotency-Key made two plans")
        else:
            decided = self._insist(f"/v1/recommendations/{content['id']}/decision", '{"decision": "accepted"}')
            if decided.status in {OK, CREATED}:
                self.decisions[content["id"]] = "accepted"

    def _insist(self, path: str, body: str, headers: dict[str, str] | None = None) -> Response:
        """Returns the answer, after as many attempts as a broken connection or a busy service takes."""
        deadline = time.monotonic() + LONGEST_S
        while time.monotonic() < deadline:
            answer = self._ask("POST", path, body, headers)
            if answer is not None and "retry-after" not in answer.headers:
                return answer
            time.sleep(1.0 if answer is None else min(float(answer.headers["retry-after"]), MOST_WAIT_S))
        raise TimeoutError(f"{path} was not answered within {LONGEST_S} s")

    def _ask(self, method: str, path: str, body: str = "", headers: dict[str, str] | None = None) -> Response | None:
        try:
            answer = self._connection.send(method, path, self._school.headers | (headers or {}), body.encode())
        except OSError:
            self._findings.note(0, None)
            return None
        self._findings.note(answer.status, answer)
        return answer


def check_kept(connection: Connection, school: School, callers: Sequence[Caller]) -> list[str]:
    """Returns sentences about what was acknowledged and is not there, or is there twice."""
    wrong = []
    for caller in callers:
        for body in caller.batches:
            content = json.loads(connection.send("POST", "/v1/events", school.headers, body.encode()).body)
            if (content.get("stored"), content.get("known")) != (0, 5):
                wrong.append("a batch of events that was acknowledged is not there")
        answers = [
            connection.send("GET", f"/v1/recommendations/{plan}", school.headers) for plan in caller.plans.values()
        ]
        wrong += ["a plan that was acknowledged is not there" for answer in answers if answer.status != OK]
        for plan, choice in caller.decisions.items():
            answer = connection.send("GET", f"/v1/recommendations/{plan}/decision", school.headers)
            if answer.status != OK or json.loads(answer.body)["decision"] != choice:
                wrong.append("a decision that was acknowledged is not there")
    made = {plan for caller in callers for plan in caller.plans.values()}
    if listed_plans(connection, school) != made:
        wrong.append("the plans that are listed are not those that were acknowledged")
    return wrong


def listed_plans(connection: Connection, school: School) -> set[str]:
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
