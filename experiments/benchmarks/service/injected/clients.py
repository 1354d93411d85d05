"""Clients of a run: they remember what was acknowledged when, and look for it afterwards."""

import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from experiments.benchmarks.service.clients import send_until_answered
from experiments.benchmarks.service.load import DAY, Connection, Response
from experiments.benchmarks.service.processes import wait_until
from experiments.benchmarks.service.school import School
from features.database import Database
from features.events.identity.ids import event_ids
from features.events.live.answers import LIVE_EVENTS
from features.logs.rows import raw_rows
from serving.store.tables import AUDIT, DECISIONS, IDEMPOTENCY, RECOMMENDATIONS

OK, CREATED, BAD, REFUSED, GONE, UNAVAILABLE = 200, 201, 400, 401, 404, 503
BATCH, SOURCE = 5, "bench"
BUDGET_S = 0.05
ANSWERED_S, SHIPPED_S = 400.0, 120.0
"""Longest waits: for an acknowledgement, and for audit entries to reach the database."""

LOOK_S = 0.5
"""Between two looks at whether they have."""


@dataclass(frozen=True)
class Window:
    """The time between the making of a back-up and the end of its restore, in monotonic seconds."""

    begin: float
    end: float

    def may_take(self, sent: float, answered: float) -> bool:
        """Whether a restore may take away what was sent and answered then."""
        return sent <= self.end and answered >= self.begin


@dataclass(frozen=True)
class Acknowledged:
    """Something that the service said it keeps.

    Attributes:
        kind: `event`, `plan`, `decision` or `audit`.
        id: Id of the event, the plan or the request.
        sent: When it was sent first, monotonic seconds.
        answered: When it was acknowledged.
    """

    kind: str
    id: str
    sent: float
    answered: float


@dataclass
class Observed:
    """What the clients of a run saw; `gone` are plans that were acknowledged and asked for, and are not there."""

    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    kept: list[Acknowledged] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, path: str, response: Response | None) -> None:
        """Counts a response, none where the connection broke, and says if it must not be."""
        status = 0 if response is None else response.status
        with self._lock:
            self.statuses[status] += 1
            if response is None or status < BAD:
                return
            if status == GONE and path.endswith("/decision"):
                self.gone.append(path.split("/")[-2])
            elif status not in {409, UNAVAILABLE} or "retry-after" not in response.headers:
                route = "/".join(path.split("?", maxsplit=1)[0].split("/")[:3])
                self.wrong.append(f"{status} at {route}: {json.loads(response.body).get('rule')}")

    def keep(self, kind: str, ids: Sequence[str], sent: float) -> None:
        """Notes what was acknowledged just now."""
        with self._lock:
            self.kept += [Acknowledged(kind, each, sent, time.monotonic()) for each in ids]

    def count_gone(self, window: Window | None) -> int:
        """Counts plans that went though no restore can have taken them."""
        may_go = {each.id for each in self.kept if window is not None and window.may_take(each.sent, each.answered)}
        return sum(plan not in may_go for plan in self.gone)


class RunClient:
    """One thread of a run."""

    def __init__(self, school: School, port: int, seen: Observed, seed: int) -> None:
        self._school, self._seen, self._seed = school, seen, seed
        self._connection, self._rng = Connection(port), random.Random(seed)  # noqa: S311 - no secret

    def run(self, stop: threading.Event) -> None:
        """Sends requests until it is stopped, and then one of each kind."""
        kinds = (self.load, self.plan, self.read)
        try:
            while not stop.is_set():
                self._rng.choices(kinds, (4, 1, 5))[0]()
            for kind in kinds:
                kind()
        except (TimeoutError, ValueError, KeyError) as error:
            self._seen.wrong.append(f"a client gave up: {error!r}")
        finally:
            self._connection.close()

    def load(self) -> None:
        """Sends a batch of new events until it is acknowledged."""
        batch, sent = uuid.uuid4().hex, time.monotonic()
        event = {"occurred_at": f"{DAY}T08:00:00Z", "score": 1, "item_id": "bench", "skill_ids": ["skill-001"]}
        students, keys = [f"bench-{at}" for at in range(BATCH)], [f"{batch}-{at}" for at in range(BATCH)]
        own = {"source": SOURCE, **event}
        events = [own | {"event_id": key, "student_id": who} for key, who in zip(keys, students, strict=True)]
        if self._send_until_answered("/v1/events", {"events": events}).status == OK:
            ids = event_ids(raw_rows({"student_id": students, "event_key": keys}, size=BATCH), SOURCE)
            self._seen.keep("event", ids.tolist(), sent)

    def plan(self) -> None:
        """Asks for a plan and decides on it, until both are acknowledged or the plan went with a restore."""
        sent = time.monotonic()
        body = {"team_id": self._rng.choice(self._school.team_ids), "date": DAY, "seconds": BUDGET_S}
        made = self._send_until_answered("/v1/recommendations", body, {"Idempotency-Key": uuid.uuid4().hex})
        if made.status != CREATED:
            return
        plan = json.loads(made.body)["id"]
        self._seen.keep("plan", [plan], sent)
        path = f"/v1/recommendations/{plan}/decision"
        if self._send_until_answered(path, {"decision": "accepted"}).status in {OK, CREATED}:
            self._seen.keep("decision", [plan], sent)

    def read(self) -> None:
        """Reads forecasts once; what is shown has to be in the audit log."""
        request_id, sent = uuid.uuid4().hex, time.monotonic()
        team, kind = self._rng.choice(self._school.team_ids), self._rng.choice(("board", "forecasts"))
        response = self._send("GET", f"/v1/teams/{team}/{kind}", None, {"X-Request-ID": request_id})
        if response is not None and response.status == OK:
            self._seen.keep("audit", [request_id], sent)

    def _send_until_answered(self, path: str, body: object, headers: dict[str, str] | None = None) -> Response:
        return send_until_answered(lambda: self._send("POST", path, body, headers), path, ANSWERED_S)

    def _send(self, method: str, path: str, body: object, headers: dict[str, str] | None = None) -> Response | None:
        content = b"" if body is None else json.dumps(body).encode()
        try:
            response = self._connection.send(method, path, self._school.headers | (headers or {}), content)
        except OSError:
            self._seen.note(path, None)
            return None
        self._seen.note(path, response)
        return response


COLUMNS = {
    "event": LIVE_EVENTS.c.event_id,
    "plan": RECOMMENDATIONS.c.id,
    "decision": DECISIONS.c.recommendation_id,
    "audit": AUDIT.c.request_id,
}


def count_missing(url: str, kept: Sequence[Acknowledged], window: Window | None) -> dict[str, Any]:
    """Counts what was acknowledged and is not in the database: `lost`, `unaudited`, and `taken` by the restore.

    `missing` describes what is lost or unaudited.
    """
    stays = {each for each in kept if window is None or not window.may_take(each.sent, each.answered)}
    missing = set(kept)

    def look() -> bool:
        missing.difference_update(_find(url, missing))
        if not any(each.kind == "audit" for each in missing & stays):
            return True
        time.sleep(LOOK_S)
        return False

    wait_until(look, SHIPPED_S)
    wrong = sorted(missing & stays, key=lambda each: each.sent)
    return {
        "lost": sum(each.kind != "audit" for each in wrong),
        "unaudited": sum(each.kind == "audit" for each in wrong),
        "taken": len(missing - stays),
        "missing": [_describe(each, window) for each in wrong],
    }


def _describe(missing: Acknowledged, window: Window | None) -> str:
    if window is None:
        return missing.kind
    sent, answered = missing.sent - window.begin, missing.answered - window.begin
    lasted = window.end - window.begin
    return f"{missing.kind} sent {sent:+.2f} s and answered {answered:+.2f} s after the back-up, {lasted:.2f} s long"


def count_doubled(url: str) -> int:
    """Counts plans that no Idempotency-Key leads to, though each was asked for with one, and second decisions."""
    with Database(url) as database, database.reading() as connection:
        known = select(IDEMPOTENCY.c.recommendation_id).where(IDEMPOTENCY.c.recommendation_id.is_not(None))
        stray = connection.execute(
            select(func.count()).select_from(RECOMMENDATIONS).where(RECOMMENDATIONS.c.id.not_in(known))
        ).scalar_one()
        decided = connection.execute(select(func.count()).select_from(DECISIONS)).scalar_one()
        plans = connection.execute(select(func.count(DECISIONS.c.recommendation_id.distinct()))).scalar_one()
    return int(stray + decided - plans)


def _find(url: str, wanted: Collection[Acknowledged]) -> set[Acknowledged]:
    """Those that are in the database."""
    found = set[Acknowledged]()
    with Database(url) as database, database.reading() as connection:
        for kind, column in COLUMNS.items():
            by_id = {each.id: each for each in wanted if each.kind == kind}
            ids = list(by_id)
            for at in range(0, len(ids), 500):
                stored = connection.execute(select(column).where(column.in_(ids[at : at + 500]))).scalars()
                found.update(by_id[each] for each in stored)
    return found
