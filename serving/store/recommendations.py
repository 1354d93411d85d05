"""Every plan that was returned, kept with all that it rests on."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from features.database import Database
from features.errors import MissingError
from serving.grouping.problem import Problem
from serving.instances import read_instance
from serving.schemas.recommendations import RecommendationOut
from serving.store.tables import DECISIONS, RECOMMENDATION_STUDENTS, RECOMMENDATIONS


@dataclass(frozen=True)
class StoredPlan:
    """A plan as it was returned, and what was decided on it.

    Attributes:
        answer: The plan.
        instance: The day as an open instance; null for plans of earlier versions.
        decision: Accepted, edited or rejected; null while nobody decided.
        decided_sessions: JSON of the sessions that were accepted; null while nobody decided.
    """

    answer: RecommendationOut
    instance: str | None
    decision: str | None
    decided_sessions: str | None

    def problem(self) -> Problem | None:
        """The day that was planned."""
        return None if self.instance is None else read_instance(self.instance)


def keep_recommendation(
    connection: Connection, answer: RecommendationOut, text: str, request: str, instance: str, students: Iterable[str]
) -> None:
    """Keeps a plan before it is returned, and everybody whom its texts name.

    Args:
        connection: Of a change that may hold more than this.
        answer: The plan.
        text: JSON of it.
        request: JSON of the body that asked for it.
        instance: The day as an open instance.
        students: Whom the day names.
    """
    connection.execute(
        insert(RECOMMENDATIONS).values(
            id=answer.id,
            created_at=answer.created_at,
            team_id=answer.team_id,
            problem_hash=answer.problem_hash,
            request=request,
            answer=text,
            problem=instance,
            date=answer.date,
            status=answer.status,
            score=answer.score,
        )
    )
    rows = [{"recommendation_id": answer.id, "student_id": student} for student in students]
    if rows:
        connection.execute(insert(RECOMMENDATION_STUDENTS), rows)


def find_recommendation(database: Database, identity: str) -> StoredPlan | None:
    """The stored plan, or None.

    Raises:
        BusyError: The database stayed locked.
        DatabaseAwayError: It cannot be used.
    """
    decided = RECOMMENDATIONS.outerjoin(DECISIONS, DECISIONS.c.id == RECOMMENDATIONS.c.id)
    asked = select(
        RECOMMENDATIONS.c.answer,
        RECOMMENDATIONS.c.problem,
        DECISIONS.c.decision,
        DECISIONS.c.sessions,
    ).select_from(decided)
    try:
        with database.reading() as connection:
            row = connection.execute(asked.where(RECOMMENDATIONS.c.id == identity)).first()
    except MissingError:
        return None  # nothing was ever kept
    if row is None:
        return None
    return StoredPlan(RecommendationOut.model_validate_json(row.answer), row.problem, row.decision, row.sessions)
